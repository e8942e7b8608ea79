import { uploadExpire, uploadsIdle } from '../../records/uploads/uploads.ts';
import type { CollectDeps } from './collect-deps.ts';
import { fullPace } from './pace.ts';

const batch = 100;

/** Upload sessions that nobody went on with: the row goes first, by way of the condemned keys, then the bytes. */
export async function expireUploads(deps: CollectDeps, signal?: AbortSignal): Promise<void> {
  const { database, blobs, clock, pace = fullPace } = deps;
  for (const { id, storageKey } of await uploadsIdle(database.read, clock.wallMs(), batch)) {
    await pace.turn(signal);
    if (signal?.aborted) return;
    const sizeBytes = await blobs.length(storageKey);
    await database.transact((tx) => uploadExpire(tx, { id, sizeBytes }));
  }
}
