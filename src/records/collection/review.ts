import type { Tx } from '../db/database.ts';
import { lockedSkipping, type Reader } from '../db/engine.ts';

/** What waits to be looked at: only what changed is ever reviewed, never the whole store. */
export interface ReviewItem {
  readonly kind: 'blob' | 'manifest';
  readonly digest: string;
  /** Its grace counts from here; milliseconds since 1970. */
  readonly changedAt: number;
  readonly reason: string;
}

interface Due {
  readonly kind: ReviewItem['kind'];
  /** What changed then or earlier. */
  readonly changedBefore: number;
}

export async function reviewIsDue(db: Reader, due: Due): Promise<boolean> {
  return (await dueRows(db, due).limit(1).execute()).length > 0;
}

/**
 * Oldest first. Until the transaction ends they are this collector's: others pass them over, and who queues one of them
 * again comes after.
 */
export async function reviewTake(tx: Tx, due: Due & { readonly limit: number }): Promise<ReviewItem[]> {
  const rows = await lockedSkipping(tx.engine, dueRows(tx.db, due).limit(due.limit)).execute();
  return rows.map(itemOf);
}

/** All that waits, whenever it is due: manifests first, then blobs; of each the oldest. */
export async function reviewList(db: Reader, limit: number): Promise<ReviewItem[]> {
  const items: ReviewItem[] = [];
  for (const kind of ['manifest', 'blob'] as const) {
    const due = { kind, changedBefore: Number.MAX_SAFE_INTEGER };
    const rows = await dueRows(db, due)
      .limit(limit - items.length)
      .execute();
    items.push(...rows.map(itemOf));
  }
  return items;
}

export async function reviewOf(db: Reader, digest: string): Promise<ReviewItem | undefined> {
  const row = await db.selectFrom('review_queue').selectAll().where('digest', '=', digest).executeTakeFirst();
  return row && itemOf(row);
}

/** Of items of one kind that this transaction has taken. */
export async function reviewDone(tx: Tx, items: readonly ReviewItem[]): Promise<void> {
  const [first] = items;
  if (!first) return;
  const digests = items.map((item) => item.digest);
  await tx.db
    .deleteFrom('review_queue')
    .where('kind', '=', first.kind)
    .where('digest', 'in', digests)
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

function dueRows(db: Reader, { kind, changedBefore }: Due) {
  return db
    .selectFrom('review_queue')
    .selectAll()
    .where('kind', '=', kind)
    .where('changed_at', '<=', changedBefore)
    .orderBy('changed_at');
}

function itemOf(row: {
  kind: ReviewItem['kind'];
  digest: string;
  changed_at: number;
  reason: string;
}): ReviewItem {
  return { kind: row.kind, digest: row.digest, changedAt: row.changed_at, reason: row.reason };
}
