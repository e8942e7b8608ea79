import { condemnedForget, condemnedKeys } from '../../records/collection/sweep.ts';
import type { CollectDeps } from './collect-deps.ts';

const batch = 500;

/** Bytes first, then the rows that remember them: a crash between deletes the same keys again, which is no error. */
export async function sweepCondemned(
  deps: CollectDeps,
  actor: string,
  signal?: AbortSignal,
): Promise<{ keys: number; sizeBytes: number }> {
  const keys = await condemnedKeys(deps.database.read, batch);
  if (keys.length === 0 || signal?.aborted) return { keys: 0, sizeBytes: 0 };
  await deps.blobs.delete(keys.map((key) => key.storageKey));
  const sizeBytes = keys.reduce((sum, key) => sum + key.sizeBytes, 0);
  await deps.database.transact(async (tx) => {
    const digests = await condemnedForget(tx, keys);
    const data = { count: keys.length, sizeBytes, digests };
    tx.emit({ type: 'blobs.collected', lane: 'local', subject: 'blobs', actor, data });
  });
  return { keys: keys.length, sizeBytes };
}
