import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** What is known of a source that is fetched again and again. */
export interface FeedState {
  readonly source: string;
  readonly url: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Of a list of changes: the newest time in it that has been imported. */
  readonly cursor: string | null;
  /** Milliseconds since 1970. */
  readonly checkedAt: number;
  readonly changedAt: number | null;
  /** Why the last fetch failed; null after one that did not. */
  readonly error: string | null;
}

export async function feedStates(db: Reader): Promise<ReadonlyMap<string, FeedState>> {
  const rows = await db.selectFrom('advisory_feeds').selectAll().execute();
  return new Map(
    rows.map((row) => [
      row.source,
      {
        source: row.source,
        url: row.url,
        etag: row.etag,
        lastModified: row.last_modified,
        cursor: row.cursor,
        checkedAt: row.checked_at,
        changedAt: row.changed_at,
        error: row.error,
      },
    ]),
  );
}

export async function feedKeep(tx: Tx, state: FeedState): Promise<void> {
  const { source, url, etag, cursor, error } = state;
  const columns = {
    url,
    etag,
    cursor,
    error,
    last_modified: state.lastModified,
    checked_at: state.checkedAt,
    changed_at: state.changedAt,
  };
  await tx.db
    .insertInto('advisory_feeds')
    .values({ source, ...columns })
    .onConflict((c) => c.column('source').doUpdateSet(columns))
    .execute();
}

/** Those that are configured no more; what was imported of them stays. */
export async function feedsForget(tx: Tx, sources: readonly string[]): Promise<void> {
  for (const source of sources)
    await tx.db.deleteFrom('advisory_feeds').where('source', '=', source).execute();
}
