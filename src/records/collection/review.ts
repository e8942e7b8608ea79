import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** What waits to be looked at: only what changed is ever reviewed, never the whole store. */
export interface ReviewItem {
  readonly kind: 'blob' | 'manifest';
  readonly digest: string;
  readonly reviewAt: number;
  readonly reason: string;
}

export async function reviewDue(db: Reader, nowMs: number, limit: number): Promise<ReviewItem[]> {
  const rows = await db
    .selectFrom('review_queue')
    .selectAll()
    .where('review_at', '<=', nowMs)
    .orderBy('review_at')
    .limit(limit)
    .execute();
  return rows.map(({ review_at, ...row }) => ({ ...row, reviewAt: review_at }));
}

export async function reviewList(db: Reader, limit: number): Promise<ReviewItem[]> {
  return reviewDue(db, Number.MAX_SAFE_INTEGER, limit);
}

/** Taken off only as it was read: if it was queued again meanwhile, that stands. */
export async function reviewDone(tx: Tx, item: ReviewItem): Promise<void> {
  await tx.db
    .deleteFrom('review_queue')
    .where('kind', '=', item.kind)
    .where('digest', '=', item.digest)
    .where('review_at', '=', item.reviewAt)
    .execute();
}

export async function reviewLater(tx: Tx, item: ReviewItem, reviewAt: number): Promise<void> {
  await tx.db
    .updateTable('review_queue')
    .set({ review_at: reviewAt })
    .where('kind', '=', item.kind)
    .where('digest', '=', item.digest)
    .execute();
}
