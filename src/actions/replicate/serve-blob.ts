import type { BlobStore } from '../../blobs/blob-store.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { assertOpen, refusalOfBlob } from '../../records/marks/door.ts';
import { copyOffered } from '../../records/regions/copies.ts';

export interface ServeBlobDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
}

export interface ServedBlob {
  /** From the offset to the end. */
  readonly sizeBytes: number;
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * A blob for another region's store, from an offset on: only what is here itself, in a repository that holds it, and
 * never what a quarantine reaches there; that quarantine travels before the data.
 * @throws blobUnknown, quarantined, rangeInvalid
 */
export async function replicatedBlob(
  deps: ServeBlobDeps,
  ask: { readonly digest: string; readonly repository: string; readonly from: number },
  signal: AbortSignal,
): Promise<ServedBlob> {
  const { repository, digest, from } = ask;
  const blob = await copyOffered(deps.database.read, ask);
  if (!blob?.storageKey)
    throw new LazaretError('blobUnknown', `this region has no ${digest} in ${repository}`);
  assertOpen(await refusalOfBlob(deps.database.read, { repository, account: blob.account }, digest));
  if (blob.sizeBytes === 0) return { sizeBytes: 0, stream: nothing() };
  const { stream } = await deps.blobs.read(blob.storageKey, { start: from, end: blob.sizeBytes - 1 }, signal);
  return { sizeBytes: blob.sizeBytes - from, stream };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
