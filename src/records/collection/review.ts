import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** What waits to be looked at: only what changed is ever reviewed, never the whole store. */
export interface ReviewItem {
  readonly kind: 'blob' | 'manifest';
  readonly digest: string;
  /** Its grace counts from here; milliseconds since 1970. */
  readonly changedAt: number;
  readonly reason: string;
}

/** What changed at `changedBefore` or earlier, oldest first. */
export async function reviewDue(db: Reader, changedBefore: number, limit: number): Promise<ReviewItem[]> {
  const rows = await db
    .selectFrom('review_queue')
    .selectAll()
    .where('changed_at', '<=', changedBefore)
    .orderBy('changed_at')
    .limit(limit)
    .execute();
  return rows.map(({ changed_at, ...row }) => ({ ...row, changedAt: changed_at }));
}

export async function reviewList(db: Reader, limit: number): Promise<ReviewItem[]> {
  return reviewDue(db, Number.MAX_SAFE_INTEGER, limit);
}

export async function reviewOf(db: Reader, digest: string): Promise<ReviewItem | undefined> {
  const row = await db.selectFrom('review_queue').selectAll().where('digest', '=', digest).executeTakeFirst();
  return row && { kind: row.kind, digest: row.digest, changedAt: row.changed_at, reason: row.reason };
}

/** Taken off only as it was read: if it was queued again meanwhile, that stands. */
export async function reviewDone(tx: Tx, item: ReviewItem): Promise<void> {
  await tx.db
    .deleteFrom('review_queue')
    .where('kind', '=', item.kind)
    .where('digest', '=', item.digest)
    .where('changed_at', '=', item.changedAt)
    .execute();
}

/** It is due a grace after `changedAt`. */
export async function reviewLater(tx: Tx, item: ReviewItem, changedAt: number): Promise<void> {
  await tx.db
    .updateTable('review_queue')
    .set({ changed_at: changedAt })
    .where('kind', '=', item.kind)
    .where('digest', '=', item.digest)
    .execute();
}
