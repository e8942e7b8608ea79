import { uploadExpire, uploadsIdle } from '../../records/uploads/uploads.ts';
import type { CollectDeps } from './collect-deps.ts';

const batch = 100;

/** Upload sessions that nobody went on with: the row goes first, by way of the condemned keys, then the bytes. */
export async function expireUploads(deps: CollectDeps, signal?: AbortSignal): Promise<void> {
  for (const id of await uploadsIdle(deps.database.read, deps.clock.wallMs(), batch)) {
    if (signal?.aborted) return;
    await deps.database.transact((tx) => uploadExpire(tx, id));
  }
}
