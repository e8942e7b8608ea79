import type { BlobStore } from '../../blobs/blob-store.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import type { Database } from '../../records/db/database.ts';
import { decisionNote } from '../../records/marks/decision-note.ts';
import { acknowledgementKeep, type Quarantine, quarantineGet } from '../../records/marks/quarantines.ts';
import { acknowledgementsDue } from '../../records/regions/acknowledgements.ts';

export interface AcknowledgeDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly region: string;
}

/**
 * Tells the other regions which quarantines of theirs bind here, and in which version. The doors refuse from the commit
 * that applied it; it is acknowledged once the decision is also a note in this region's blob store, so that no restore of
 * the metadata lifts it.
 */
export function acknowledgeTask(deps: AcknowledgeDeps): Task {
  return {
    name: 'replicate-acknowledge',
    periodMs: 5_000,
    run: async (signal) => {
      const due = await acknowledgementsDue(deps.database.read, deps.region, limits.apiPageDefault);
      for (const uid of due) {
        if (signal.aborted) break;
        const quarantine = await quarantineGet(deps.database.read, uid);
        if (quarantine) await acknowledge(deps, quarantine);
      }
      return due.length > 0 ? 'worked' : 'idle';
    },
  };
}

async function acknowledge(
  { database, blobs, region }: AcknowledgeDeps,
  quarantine: Quarantine,
): Promise<void> {
  const { uid, name, version, scopeAccount } = quarantine;
  const note = decisionNote(quarantine);
  await blobs.notes.put(note.name, note.text);
  await database.transact(async (tx) => {
    await acknowledgementKeep(tx, { quarantineUid: uid, region, version, at: tx.nowMs });
    tx.emit({
      type: 'quarantine.acknowledged',
      lane: 'content',
      account: scopeAccount ?? undefined,
      subject: name,
      actor: `region/${region}`,
      data: { quarantine: uid, version },
    });
  });
}
