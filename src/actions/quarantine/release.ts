import type { Quarantine } from '../../records/marks/quarantines.ts';
import { quarantineChange } from './change.ts';
import type { QuarantineDeps } from './plan.ts';

export interface ReleaseAsk {
  readonly quarantine: string;
  readonly reason: string;
  readonly author: string;
}

/**
 * Lifts a quarantine where it was set. What was stopped is not started by it.
 * @throws notFound, conflict (released before, or set in another region)
 */
export function quarantineRelease(deps: QuarantineDeps, ask: ReleaseAsk): Promise<Quarantine> {
  const { quarantine, author, reason } = ask;
  return quarantineChange(deps, { quarantine, actor: author, type: 'quarantine.released' }, (_, tx) => ({
    releasedAt: tx.nowMs,
    releasedBy: author,
    releaseReason: reason,
  }));
}
