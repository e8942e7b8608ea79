import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';

/** The decision beside the bytes it is about: what a restore of the metadata reads first. */
export async function keepNote(blobs: BlobStore, quarantine: Quarantine): Promise<void> {
  await blobs.notes.put(`quarantine/${quarantine.uid}.json`, `${JSON.stringify(quarantine, null, 2)}\n`);
}
