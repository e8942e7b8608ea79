import { createHash } from 'node:crypto';
import type { BlobKey, BlobStore } from '../../blobs/blob-store.ts';
import { hasCode } from '../../lib/errors.ts';
import { hashing } from '../../lib/streams.ts';
import { digestEnd } from '../../oci/digest.ts';

export interface CopiedKey {
  readonly key: BlobKey;
  /** What it must turn out to be; undefined: whatever it is. */
  readonly digest?: string;
}

export type CopiedHow = 'copied' | 'missing' | 'damaged';

/**
 * The bytes of one key into another store, under the same key. Nothing is committed there that has another digest, so
 * rot does not spread. Bytes that an earlier attempt left are dropped first.
 */
export async function keyCopy(
  stores: { readonly from: BlobStore; readonly to: BlobStore },
  { key, digest }: CopiedKey,
  signal: AbortSignal,
): Promise<{ how: CopiedHow; sizeBytes: number }> {
  const { from, to } = stores;
  await to.delete([key]);
  try {
    const { stream, sizeBytes } = await from.read(key, undefined, signal);
    const hash = createHash('sha256');
    await to.append(key, 0, hashing(stream, hash), { signal });
    if (digest !== undefined && digestEnd(hash, 'sha256') !== digest) {
      await to.delete([key]);
      return { how: 'damaged', sizeBytes };
    }
    await to.commit(key);
    return { how: 'copied', sizeBytes };
  } catch (error) {
    if (hasCode(error, 'storeMissing')) return { how: 'missing', sizeBytes: 0 };
    throw error;
  }
}

/** The keys with whole bytes, and how many. */
export async function committedKeys(
  store: BlobStore,
  signal: AbortSignal,
): Promise<ReadonlyMap<BlobKey, number>> {
  const keys = new Map<BlobKey, number>();
  for await (const { key, sizeBytes, committed } of store.list(signal))
    if (committed) keys.set(key, sizeBytes);
  return keys;
}
