import { assertNever } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type BlobNeeds, blobVerdict } from '../../records/collection/blob-needs.ts';
import { blobsCondemn, blobUnlinkUnneeded, unlockedBlobNeeds } from '../../records/collection/condemn.ts';
import { deletedManifestsLocked, manifestRemove } from '../../records/collection/manifests.ts';
import {
  type ReviewItem,
  reviewDone,
  reviewIsDue,
  reviewLater,
  reviewTake,
} from '../../records/collection/review.ts';
import type { Tx } from '../../records/db/database.ts';
import { reviewAddAll } from '../../records/holds/review.ts';
import type { CollectDeps } from './collect-deps.ts';
import { fullPace } from './pace.ts';

/**
 * Looks at what changed, once its grace is over. Manifests first, for what they leave behind is due at once; then blobs.
 *
 * Each transaction takes some of the queue for itself, so that collectors at work together share it: the other passes
 * over what is taken. It also passes over the rows that a push has locked; they stay in the queue. Of what it has taken
 * it reads, under the locks, everything that decides.
 */
export async function reviewDueItems(
  deps: CollectDeps,
  actor: string,
  signal?: AbortSignal,
): Promise<{ manifests: number; condemned: number }> {
  const { graceMs } = deps;
  const manifests = await reviewKind(deps, 'manifest', {
    full: limits.collectManifests,
    signal,
    review: (tx, items) => reviewManifests(tx, items, { actor, graceMs }),
  });
  const condemned = await reviewKind(deps, 'blob', {
    full: limits.collectBlobs,
    signal,
    review: (tx, items) => reviewBlobs(tx, items, { actor, graceMs }),
  });
  return { manifests, condemned };
}

interface Reviewed {
  /** How many will not be due again at once. */
  readonly looked: number;
  readonly gone: number;
}

interface Kind {
  /** How many a full step takes. */
  readonly full: number;
  readonly signal: AbortSignal | undefined;
  readonly review: (tx: Tx, items: readonly ReviewItem[]) => Promise<Reviewed>;
}

/** Until nothing of the kind is due, or a pass is full. @returns how many are gone */
async function reviewKind(
  { database, clock, graceMs, pace = fullPace }: CollectDeps,
  kind: ReviewItem['kind'],
  { full, signal, review }: Kind,
): Promise<number> {
  const due = { kind, changedBefore: clock.wallMs() - graceMs };
  let gone = 0;
  for (let step = 0; step < limits.collectStepsMax; step++) {
    if (!(await reviewIsDue(database.read, due))) break;
    const limit = Math.ceil(full * (await pace.turn(signal)));
    if (signal?.aborted) break;
    const done = await database.transact(async (tx) => review(tx, await reviewTake(tx, { ...due, limit })));
    if (done.looked === 0) break; // others are at it
    gone += done.gone;
  }
  return gone;
}

/** Deleted manifests stay for the grace, so that they can be brought back; then their content goes. */
async function reviewManifests(
  tx: Tx,
  items: readonly ReviewItem[],
  { actor, graceMs }: { actor: string; graceMs: number },
): Promise<Reviewed> {
  const reviewed: ReviewItem[] = [];
  const leftBehind: string[] = [];
  let looked = 0;
  let gone = 0;
  for (const item of items) {
    const manifests = await deletedManifestsLocked(tx, item.digest);
    if (!manifests) continue;
    looked += 1;
    let nextAt: number | undefined;
    for (const manifest of manifests) {
      const dueAt = manifest.kept ? tx.nowMs + graceMs : manifest.deletedAt + graceMs;
      if (dueAt > tx.nowMs) {
        nextAt = Math.min(nextAt ?? dueAt, dueAt);
        continue;
      }
      leftBehind.push(...(await manifestRemove(tx, manifest.repositoryId, manifest.manifestId)));
      gone += 1;
    }
    if (nextAt === undefined) reviewed.push(item);
    else await reviewLater(tx, item, nextAt - graceMs);
  }
  await reviewDone(tx, reviewed);
  const due = { reason: 'its manifest was deleted', changedAt: tx.nowMs - graceMs };
  await reviewAddAll(tx, { kind: 'blob', digests: leftBehind, ...due });
  // An index elsewhere may have named one of them.
  const data = { count: gone };
  if (gone > 0) tx.emit({ type: 'manifests.collected', lane: 'local', subject: 'manifests', actor, data });
  return { looked, gone };
}

async function reviewBlobs(
  tx: Tx,
  items: readonly ReviewItem[],
  options: { actor: string; graceMs: number },
): Promise<Reviewed> {
  if (items.length === 0) return { looked: 0, gone: 0 };
  const { needs, busy } = await unlockedBlobNeeds(
    tx,
    items.map((item) => item.digest),
  );
  const ours = items.filter((item) => !busy.has(item.digest));
  const reviewed: ReviewItem[] = [];
  const going: { blob: BlobNeeds; reason: string }[] = [];
  // Again after a grace at the latest: a hold, or the quarantine that holds, may be lifted before its end.
  const later = (item: ReviewItem, untilMs: number | null) =>
    reviewLater(tx, item, Math.min(untilMs ?? Infinity, tx.nowMs + options.graceMs) - options.graceMs);
  for (const item of ours) {
    const blob = needs.get(item.digest);
    const verdict = blobVerdict(blob);
    switch (verdict.kind) {
      case 'gone':
        reviewed.push(item);
        break;
      case 'needed':
        // A hold protects the links too: who was told that a blob is in a repository will name it there.
        if (verdict.heldUntilMs !== undefined) await later(item, verdict.heldUntilMs);
        else {
          if (blob) await blobUnlinkUnneeded(tx, blob);
          reviewed.push(item);
        }
        break;
      case 'held':
        await later(item, verdict.untilMs);
        break;
      case 'free':
        if (blob) going.push({ blob, reason: item.reason });
        reviewed.push(item);
        break;
      default:
        return assertNever(verdict);
    }
  }
  await reviewDone(tx, reviewed);
  await condemn(tx, going, options.actor);
  return { looked: ours.length, gone: going.length };
}

async function condemn(
  tx: Tx,
  going: readonly { readonly blob: BlobNeeds; readonly reason: string }[],
  actor: string,
): Promise<void> {
  await blobsCondemn(
    tx,
    going.map(({ blob }) => blob),
  );
  for (const [reason, blobs] of Map.groupBy(going, (one) => one.reason)) {
    const digests = blobs.map(({ blob }) => blob.digest);
    const sizeBytes = blobs.reduce((sum, { blob }) => sum + blob.sizeBytes, 0);
    const data = { count: digests.length, sizeBytes, digests, reason };
    tx.emit({ type: 'blobs.condemned', lane: 'local', subject: 'blobs', actor, data });
  }
}
