import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import type { Tables } from '../db/tables.ts';

type Review = Tables['review_queue'];

/**
 * Asks the collector to look at a blob or manifest once its grace is over: something has changed that may have made it
 * unneeded. The grace, which is the collector's setting, counts from the last change.
 * @param changedAt milliseconds since 1970; earlier than now where a grace has been served already
 */
export async function reviewAdd(
  tx: Tx,
  kind: Review['kind'],
  digest: string,
  reason: string,
  changedAt = tx.nowMs,
): Promise<void> {
  await reviewAdded(tx.db, { kind, digest, reason, changed_at: changedAt });
  tx.wake();
}

/** The same for many at once; always in the order of the digests, so that no two transactions wait for each other. */
export async function reviewAddAll(
  tx: Tx,
  added: {
    readonly kind: Review['kind'];
    readonly digests: readonly string[];
    readonly reason: string;
    readonly changedAt: number;
  },
): Promise<void> {
  const { kind, digests, reason, changedAt } = added;
  const rows = [...new Set(digests)]
    .sort()
    .map((digest) => ({ kind, digest, reason, changed_at: changedAt }));
  for (const some of chunked(rows)) await reviewsAdded(tx.db, some).execute();
  tx.wake();
}

const reviewAdded = keptQuery((db, { kind, digest, reason, changed_at }: Review) =>
  reviewsAdded(db, [{ kind, digest, reason, changed_at }]),
);

function reviewsAdded(db: Reader, rows: readonly Review[]) {
  return db
    .insertInto('review_queue')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['kind', 'digest'])
        .doUpdateSet((e) => ({ changed_at: e.ref('excluded.changed_at'), reason: e.ref('excluded.reason') }))
        .whereRef('review_queue.changed_at', '<', 'excluded.changed_at'),
    );
}
