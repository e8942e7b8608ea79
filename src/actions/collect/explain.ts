import type { Clock } from '../../lib/clock.ts';
import {
  type BlobNeeds,
  type BlobVerdict,
  blobNeeds,
  blobVerdict,
} from '../../records/collection/blob-needs.ts';
import { repositoriesOfBlob } from '../../records/collection/expired-marks.ts';
import { type ReviewItem, reviewList, reviewOf } from '../../records/collection/review.ts';
import type { Database } from '../../records/db/database.ts';
import { type Refusal, refusalOfBlob } from '../../records/marks/door.ts';

export interface ExplainDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly graceMs: number;
}

/** Why a blob lives, or what will become of it. */
export interface BlobExplanation {
  readonly blob: BlobNeeds | null;
  readonly verdict: BlobVerdict;
  readonly repositories: readonly { readonly repository: string; readonly refusal: Refusal | null }[];
  readonly review: (ReviewItem & { readonly reviewAt: number }) | null;
}

export async function explainBlob(deps: ExplainDeps, digest: string): Promise<BlobExplanation> {
  const db = deps.database.read;
  const blob = await blobNeeds(db, digest, deps.clock.wallMs());
  const repositories = await repositoriesOfBlob(db, digest);
  const review = await reviewOf(db, digest);
  return {
    blob: blob ?? null,
    verdict: blobVerdict(blob),
    repositories: await Promise.all(
      repositories.map(async ({ name, account }) => ({
        repository: name,
        refusal: (await refusalOfBlob(db, { repository: name, account }, digest)) ?? null,
      })),
    ),
    review: review ? { ...review, reviewAt: review.changedAt + deps.graceMs } : null,
  };
}

/** What waits in the review queue, and what would become of it now. */
export async function collectPlan(deps: ExplainDeps, limit: number) {
  const db = deps.database.read;
  const items = await reviewList(db, limit);
  return Promise.all(
    items.map(async (item) => {
      const reviewAt = item.changedAt + deps.graceMs;
      if (item.kind === 'manifest') return { ...item, reviewAt, verdict: 'free' as const, sizeBytes: 0 };
      const blob = await blobNeeds(db, item.digest, deps.clock.wallMs());
      return { ...item, reviewAt, verdict: blobVerdict(blob).kind, sizeBytes: blob?.sizeBytes ?? 0 };
    }),
  );
}
