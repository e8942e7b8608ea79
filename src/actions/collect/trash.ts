import { tagTrashExpire, tagTrashHasExpired } from '../../records/catalog/trash.ts';
import type { CollectDeps } from './collect-deps.ts';

const batch = 500;

/** Deleted tags are forgotten when their grace is over; deleted manifests are reviewed like all that changed. */
export async function expireTrash({ database, clock, graceMs }: CollectDeps): Promise<void> {
  const deletedBefore = clock.wallMs() - graceMs;
  if (!(await tagTrashHasExpired(database.read, deletedBefore))) return;
  await database.transact((tx) => tagTrashExpire(tx, { deletedBefore, limit: batch }));
}
