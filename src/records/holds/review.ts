import type { Tx } from '../db/database.ts';
import { chunked } from '../db/engine.ts';
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
  await reviewAddAll(tx, { kind, digests: [digest], reason, changedAt });
}

/** The same for many at once; always in the order of the digests, so that no two transactions wait for each other. */
export async function reviewAddAll(
  tx: Tx,
  added: {
    readonly kind: Tables['review_queue']['kind'];
    readonly digests: readonly string[];
    readonly reason: string;
    readonly changedAt: number;
  },
): Promise<void> {
  const { kind, digests, reason, changedAt } = added;
  const change = { changed_at: changedAt, reason };
  const rows = [...new Set(digests)].sort().map((digest) => ({ kind, digest, ...change }));
  for (const values of chunked(rows))
    await tx.db
      .insertInto('review_queue')
      .values(values)
      .onConflict((c) =>
        c.columns(['kind', 'digest']).doUpdateSet(change).where('review_queue.changed_at', '<', changedAt),
      )
      .execute();
  tx.wake();
}
