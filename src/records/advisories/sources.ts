import { LazaretError } from '../../lib/errors.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { AdvisorySourceTable } from '../db/tables/advisories.ts';

/** Where advisories came from, and when that source was last loaded. */
export interface AdvisorySource {
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly importedAt: number;
  readonly documents: number;
}

/** Those that gave advisories; what else was loaded (KEV, EPSS) tells of none. */
export async function advisorySourceList(db: Reader): Promise<AdvisorySource[]> {
  const rows = await db
    .selectFrom('advisory_sources')
    .selectAll()
    .where('kind', '=', 'osv')
    .orderBy('source')
    .execute();
  return rows.map((row) => ({ source: row.source, importedAt: row.imported_at, documents: row.documents }));
}

export interface LoadedSource {
  readonly source: string;
  readonly kind: AdvisorySourceTable['kind'];
  /** That were not there before; of what is replaced as a whole (KEV, EPSS): all. */
  readonly documents: number;
  /** Milliseconds since 1970; undefined: there is more to come. */
  readonly loadedAt: number | undefined;
}

/**
 * A source is of one kind: as another one it would not be listed any more among those that gave advisories.
 * @throws conflict
 */
export async function assertSourceIsOf(
  db: Reader,
  source: string,
  kind: LoadedSource['kind'],
): Promise<void> {
  const row = await db
    .selectFrom('advisory_sources')
    .select('kind')
    .where('source', '=', source)
    .executeTakeFirst();
  if (row === undefined || row.kind === kind) return;
  throw new LazaretError(
    'conflict',
    `'${source}' is the name of what was loaded of ${kindNames[row.kind]}; give ${kindNames[kind]} another one`,
    { detail: { path: 'source' } },
  );
}

const kindNames = { osv: 'advisories', kev: 'known exploited vulnerabilities', epss: 'EPSS' } as const;

/** @throws conflict */
export async function advisorySourceLoaded(
  tx: Tx,
  { source, kind, documents, loadedAt }: LoadedSource,
): Promise<void> {
  await assertSourceIsOf(tx.db, source, kind);
  await tx.db
    .insertInto('advisory_sources')
    .values({ source, kind, imported_at: loadedAt ?? 0, documents })
    .onConflict((c) =>
      c.column('source').doUpdateSet((e) => ({
        kind,
        ...(loadedAt === undefined ? {} : { imported_at: loadedAt }),
        documents: kind === 'osv' ? e('advisory_sources.documents', '+', documents) : documents,
      })),
    )
    .execute();
}
