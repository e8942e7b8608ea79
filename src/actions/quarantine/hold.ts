import { LazaretError } from '../../lib/errors.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';
import { quarantineChange } from './change.ts';
import type { QuarantineDeps } from './plan.ts';

export interface LegalHoldAsk {
  readonly quarantine: string;
  /** Whether it is set or lifted. */
  readonly hold: boolean;
  readonly reason: string;
  readonly author: string;
}

/**
 * A legal hold: while it stands nothing that the quarantine marks is collected, whatever its retention says, and it can't
 * be destroyed. Lifted, the retention counts again as if it had never stood.
 * @throws notFound, conflict (it is so already, released, or set in another region)
 */
export function quarantineLegalHold(deps: QuarantineDeps, ask: LegalHoldAsk): Promise<Quarantine> {
  const { quarantine, author: actor, hold, reason } = ask;
  return quarantineChange(deps, { quarantine, actor, type: 'quarantine.changed' }, (before) => {
    if (before.legalHold === hold)
      throw new LazaretError(
        'conflict',
        `${before.name} is ${hold ? 'held already' : 'under no legal hold'}`,
      );
    return { legalHold: hold, legalHoldReason: reason };
  });
}
