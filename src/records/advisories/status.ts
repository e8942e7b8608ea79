import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { AdvisorySourceTable } from '../db/tables/advisories.ts';

export interface FeedStatus {
  readonly source: string;
  readonly kind: AdvisorySourceTable['kind'];
  /** Milliseconds since 1970; null: never, or not to its end. */
  readonly importedAt: number | null;
  readonly documents: number;
  /** Documents that can't be read: what they name is unknown. */
  readonly unreadable: number;
  /** Where it is fetched from again and again; null: it is imported by hand. */
  readonly feed: {
    readonly url: string;
    readonly checkedAt: number;
    readonly changedAt: number | null;
    readonly error: string | null;
  } | null;
}

/** All that was loaded, or is to be. */
export async function feedStatusList(db: Reader): Promise<FeedStatus[]> {
  const loaded = await db.selectFrom('advisory_sources').selectAll().execute();
  const feeds = await db.selectFrom('advisory_feeds').selectAll().execute();
  const broken = await db
    .selectFrom('advisories')
    .select((e) => ['source', e.fn.countAll<number>().as('count')])
    .where('broken', 'is not', null)
    .groupBy('source')
    .execute();
  const names = [...new Set([...loaded, ...feeds].map(({ source }) => source))].sort();
  return names.map((source) => {
    const row = loaded.find((one) => one.source === source);
    const feed = feeds.find((one) => one.source === source);
    return {
      source,
      kind: row?.kind ?? 'osv',
      importedAt: row?.imported_at || null,
      documents: row?.documents ?? 0,
      unreadable: Number(broken.find((one) => one.source === source)?.count ?? 0),
      feed: feed
        ? { url: feed.url, checkedAt: feed.checked_at, changedAt: feed.changed_at, error: feed.error }
        : null,
    };
  });
}

/** Of a source, how many advisories that are not withdrawn took their severity from what. */
export interface SeverityOrigins {
  readonly source: string;
  readonly distribution: number;
  readonly cvss: number;
  readonly word: number;
  readonly alias: number;
  /** Nobody gave one. */
  readonly none: number;
}

/** Looks through all advisories. */
export async function severityOrigins(database: Database): Promise<SeverityOrigins[]> {
  const rows = await database.search(
    sql<{ source: string; origin: keyof SeverityOrigins; count: number }>`select source,
        coalesce(severity_from, 'none') as origin, count(*) as count
      from advisories where withdrawn_at is null group by 1, 2 order by 1`.compile(database.read),
  );
  return [...Map.groupBy(rows, ({ source }) => source)].map(([source, ofOne]) => {
    const count = (origin: string) => Number(ofOne.find((row) => row.origin === origin)?.count ?? 0);
    return {
      source,
      distribution: count('distribution'),
      cvss: count('cvss'),
      word: count('word'),
      alias: count('alias'),
      none: count('none'),
    };
  });
}
