import { limits } from '../../lib/limits.ts';
import { randomNumber } from '../../lib/random.ts';
import {
  type CondemnedKey,
  condemnedForget,
  condemnedKeyAt,
  condemnedKeys,
  largeInventoriesForget,
} from '../../records/collection/sweep.ts';
import type { CollectDeps } from './collect-deps.ts';
import { fullPace } from './pace.ts';

/** Collectors at work together begin within so many steps of the first key. */
const startsWithinSteps = 5;

export interface Swept {
  readonly keys: number;
  readonly sizeBytes: number;
}

/**
 * Bytes first, then the rows that remember them: a crash between deletes the same keys again, which is no error. It goes
 * round by key, from one of the first places, which chance chooses, so that collectors at work together begin at
 * different ones; what two of them delete at once is counted by the one that forgets its row.
 */
export async function sweepCondemned(deps: CollectDeps, actor: string, signal?: AbortSignal): Promise<Swept> {
  const { database, pace = fullPace } = deps;
  const swept = { keys: 0, sizeBytes: 0 };
  let after = await condemnedKeyAt(database.read, randomNumber(startsWithinSteps * limits.collectKeys));
  let rounds = 0;
  for (let step = 0; step < limits.collectStepsMax && rounds < 2; step++) {
    if ((await condemnedKeys(database.read, { after: '', limit: 1 })).length === 0) break;
    const limit = Math.ceil(limits.collectKeys * (await pace.turn(signal)));
    if (signal?.aborted) break;
    const keys = await condemnedKeys(database.read, { after, limit });
    const atEnd = keys.length < limit;
    after = atEnd ? '' : (keys.at(-1)?.storageKey ?? '');
    if (atEnd) rounds += 1;
    if (keys.length === 0) continue;
    const done = await sweep(deps, keys, actor);
    swept.keys += done.keys;
    swept.sizeBytes += done.sizeBytes;
  }
  return swept;
}

async function sweep(deps: CollectDeps, keys: readonly CondemnedKey[], actor: string): Promise<Swept> {
  await deps.blobs.delete(keys.map((key) => key.storageKey));
  await largeInventoriesForget(deps.database, keys);
  const swept = await deps.database.transact(async (tx) => {
    const forgotten = await condemnedForget(tx, keys);
    const { keys: count, sizeBytes, digests } = forgotten;
    const data = { count, sizeBytes, digests };
    if (count > 0) tx.emit({ type: 'blobs.collected', lane: 'local', subject: 'blobs', actor, data });
    return forgotten;
  });
  deps.metrics?.collected({ blobs: swept.keys, bytes: swept.sizeBytes });
  return swept;
}
