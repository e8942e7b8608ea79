import { collectorTurnOff } from '../collection/collector-state.ts';
import type { Tx } from '../db/database.ts';
import { logRestart } from '../log/restart.ts';
import { type Quarantine, quarantineApply } from '../marks/quarantines.ts';
import { quarantineRenamed } from '../regions/quarantine-name.ts';

export interface Restored {
  readonly epoch: string;
  /** Decisions that the notes know and the copy did not, or in an older version. */
  readonly replayed: number;
}

/**
 * What must hold before the first request after a restore, in the transaction that makes the restored rows visible:
 * every decision that was acknowledged before the loss binds again, the log goes on where no follower's cursor has been,
 * and the collector rests until a scrub has ended. Upload sessions are over: nobody knows how far their bytes go.
 * @param notes the newest version of each decision, from the blob store and the backup
 */
export async function restoreSettle(
  tx: Tx,
  notes: readonly Quarantine[],
  from: { epoch: string; head: number; madeAt: number },
): Promise<Restored> {
  const above = notes.reduce((most, note) => Math.max(most, note.version), from.head);
  const epoch = await logRestart(tx, { before: from, above });
  let replayed = 0;
  for (const note of notes) {
    const quarantine = await quarantineRenamed(tx, note);
    if (!(await quarantineApply(tx, quarantine))) continue;
    replayed += 1;
    // Followers that were cut off when it was set learn of it now.
    if (quarantine.origin !== tx.region) continue;
    tx.emit({
      type: quarantine.releasedAt === null ? 'quarantine.set' : 'quarantine.released',
      lane: 'quarantine',
      account: quarantine.scopeAccount ?? undefined,
      subject: quarantine.name,
      actor: 'restore',
      data: { ...quarantine },
    });
  }
  await tx.db.deleteFrom('uploads').execute();
  const made = new Date(from.madeAt).toISOString();
  await collectorTurnOff(tx, `restored from a backup of ${made} and not scrubbed since: lazaret scrub`);
  tx.emit({ type: 'access.changed', lane: 'content', subject: 'access', actor: 'restore', data: {} });
  return { epoch, replayed };
}
