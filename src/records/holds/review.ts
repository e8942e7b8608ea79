import type { Tx } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';

/**
 * Asks the collector to look at a blob or manifest once its grace is over: something has changed that may have made it
 * unneeded. The grace, which is the collector's setting, counts from the last change.
 * @param changedAt milliseconds since 1970; earlier than now where a grace has been served already
 */
export async function reviewAdd(
  tx: Tx,
  kind: Tables['review_queue']['kind'],
  digest: string,
  reason: string,
  changedAt = tx.nowMs,
): Promise<void> {
  const change = { changed_at: changedAt, reason };
  await tx.db
    .insertInto('review_queue')
    .values({ kind, digest, ...change })
    .onConflict((c) =>
      c.columns(['kind', 'digest']).doUpdateSet(change).where('review_queue.changed_at', '<', changedAt),
    )
    .execute();
  tx.wake();
}
