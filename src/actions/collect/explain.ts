import type { Clock } from '../../lib/clock.ts';
import {
  type BlobNeeds,
  type BlobVerdict,
  blobNeeds,
  blobVerdict,
} from '../../records/collection/blob-needs.ts';
import { repositoriesOfBlob } from '../../records/collection/expired-marks.ts';
import { type ReviewItem, reviewList } from '../../records/collection/review.ts';
import type { Database } from '../../records/db/database.ts';
import { type Refusal, refusalOfBlob } from '../../records/marks/door.ts';

/** Why a blob lives, or what will become of it. */
export interface BlobExplanation {
  readonly blob: BlobNeeds | null;
  readonly verdict: BlobVerdict;
  readonly repositories: readonly { readonly repository: string; readonly refusal: Refusal | null }[];
  readonly review: ReviewItem | null;
}

export async function explainBlob(
  deps: { database: Database; clock: Clock },
  digest: string,
): Promise<BlobExplanation> {
  const db = deps.database.read;
  const blob = await blobNeeds(db, digest, deps.clock.wallMs());
  const repositories = await repositoriesOfBlob(db, digest);
  const review = (await reviewList(db, Number.MAX_SAFE_INTEGER)).find((item) => item.digest === digest);
  return {
    blob: blob ?? null,
    verdict: blobVerdict(blob),
    repositories: await Promise.all(
      repositories.map(async ({ name, account }) => ({
        repository: name,
        refusal: (await refusalOfBlob(db, { repository: name, account }, digest)) ?? null,
      })),
    ),
    review: review ?? null,
  };
}

/** What waits in the review queue, and what would become of it now. */
export async function collectPlan(deps: { database: Database; clock: Clock }, limit: number) {
  const db = deps.database.read;
  const items = await reviewList(db, limit);
  return Promise.all(
    items.map(async (item) => {
      if (item.kind === 'manifest') return { ...item, verdict: 'free' as const, sizeBytes: 0 };
      const blob = await blobNeeds(db, item.digest, deps.clock.wallMs());
      return { ...item, verdict: blobVerdict(blob).kind, sizeBytes: blob?.sizeBytes ?? 0 };
    }),
  );
}
