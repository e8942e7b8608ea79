import type { BlobStore } from '../../blobs/blob-store.ts';
import { decisionNote } from '../../records/marks/decision-note.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';

/** Before a decision is acknowledged. */
export async function keepNote(blobs: BlobStore, quarantine: Quarantine): Promise<void> {
  const { name, text } = decisionNote(quarantine);
  await blobs.notes.put(name, text);
}
