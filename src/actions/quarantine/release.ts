import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { type Quarantine, quarantineApply, quarantineGet } from '../../records/marks/quarantines.ts';
import { emitQuarantine } from './apply.ts';
import { keepNote } from './note.ts';
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
export async function quarantineRelease(deps: QuarantineDeps, ask: ReleaseAsk): Promise<Quarantine> {
  const released = await deps.database.transact(async (tx) => {
    const before = await ownQuarantine(deps, ask.quarantine);
    const after: Quarantine = {
      ...before,
      version: await tx.nextVersion(),
      releasedAt: tx.nowMs,
      releasedBy: ask.author,
      releaseReason: ask.reason,
    };
    await quarantineApply(tx, after);
    emitQuarantine(tx, 'quarantine.released', after, ask.author);
    return after;
  });
  await keepNote(deps.blobs, released);
  return released;
}

/** An active quarantine that this region set. @throws notFound, conflict */
export async function ownQuarantine(deps: QuarantineDeps, name: string): Promise<Quarantine> {
  const quarantine = await quarantineNamed(deps, name);
  if (quarantine.releasedAt !== null)
    throw new LazaretError('conflict', `${quarantine.name} was released before`);
  if (quarantine.origin !== deps.region)
    throw new LazaretError(
      'conflict',
      `${quarantine.name} was set in region '${quarantine.origin}': do it there`,
      {
        detail: { region: quarantine.origin },
      },
    );
  return quarantine;
}

/** @throws notFound */
export async function quarantineNamed(deps: { database: Database }, name: string): Promise<Quarantine> {
  const quarantine = await quarantineGet(deps.database.read, name);
  if (!quarantine) throw new LazaretError('notFound', `there is no quarantine '${name}'`);
  return quarantine;
}
