import { assertNever } from '../../lib/errors.ts';
import { blobVerdict } from '../../records/collection/blob-needs.ts';
import { blobCondemn, blobUnlinkUnneeded, lockedBlobNeeds } from '../../records/collection/condemn.ts';
import { deletedManifests, manifestRemove } from '../../records/collection/manifests.ts';
import { type ReviewItem, reviewDone, reviewDue, reviewLater } from '../../records/collection/review.ts';
import type { Tx } from '../../records/db/database.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import type { CollectDeps } from './collect-deps.ts';

const batch = 200;

/** Looks at what changed, once its grace is over: one transaction per item. */
export async function reviewDueItems(
  deps: CollectDeps,
  actor: string,
  signal?: AbortSignal,
): Promise<{ manifests: number; condemned: number }> {
  const { database, clock, graceMs } = deps;
  let manifests = 0;
  let condemned = 0;
  for (const item of await reviewDue(database.read, clock.wallMs() - graceMs, batch)) {
    if (signal?.aborted) break;
    if (item.kind === 'manifest')
      manifests += await database.transact((tx) => reviewManifest(tx, item, graceMs));
    else condemned += (await database.transact((tx) => reviewBlob(tx, item, { actor, graceMs }))) ? 1 : 0;
  }
  return { manifests, condemned };
}

/** Deleted manifests stay for the grace, so that they can be brought back; then their content goes. */
async function reviewManifest(tx: Tx, item: ReviewItem, graceMs: number): Promise<number> {
  let removed = 0;
  let nextAt: number | undefined;
  for (const manifest of await deletedManifests(tx, item.digest)) {
    const dueAt = manifest.kept ? tx.nowMs + graceMs : manifest.deletedAt + graceMs;
    if (dueAt > tx.nowMs) {
      nextAt = Math.min(nextAt ?? dueAt, dueAt);
      continue;
    }
    for (const blob of await manifestRemove(tx, manifest.repositoryId, manifest.manifestId))
      await reviewAdd(tx, 'blob', blob, 'its manifest was deleted', tx.nowMs - graceMs);
    removed += 1;
  }
  if (nextAt === undefined) await reviewDone(tx, item);
  else await reviewLater(tx, item, nextAt - graceMs);
  return removed;
}

async function reviewBlob(
  tx: Tx,
  item: ReviewItem,
  options: { actor: string; graceMs: number },
): Promise<boolean> {
  const blob = await lockedBlobNeeds(tx, item.digest);
  const verdict = blobVerdict(blob);
  const later = (untilMs: number | null) =>
    reviewLater(tx, item, (untilMs ?? tx.nowMs + options.graceMs) - options.graceMs);
  switch (verdict.kind) {
    case 'gone':
      await reviewDone(tx, item);
      return false;
    case 'needed':
      // A hold protects the links too: who was told that a blob is in a repository will name it there.
      if (verdict.heldUntilMs !== undefined) await later(verdict.heldUntilMs);
      else {
        if (blob) await blobUnlinkUnneeded(tx, blob);
        await reviewDone(tx, item);
      }
      return false;
    case 'held':
      await later(verdict.untilMs);
      return false;
    case 'free': {
      if (blob) await blobCondemn(tx, blob);
      await reviewDone(tx, item);
      const data = { count: 1, sizeBytes: blob?.sizeBytes ?? 0, digests: [item.digest] };
      tx.emit({ type: 'blobs.condemned', lane: 'local', subject: item.digest, actor: options.actor, data });
      return true;
    }
    default:
      return assertNever(verdict);
  }
}
