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
  /** Milliseconds since 1970. */
  readonly loadedAt: number;
}

export async function advisorySourceLoaded(
  tx: Tx,
  { source, kind, documents, loadedAt }: LoadedSource,
): Promise<void> {
  await tx.db
    .insertInto('advisory_sources')
    .values({ source, kind, imported_at: loadedAt, documents })
    .onConflict((c) =>
      c.column('source').doUpdateSet((e) => ({
        kind,
        imported_at: loadedAt,
        documents: kind === 'osv' ? e('advisory_sources.documents', '+', documents) : documents,
      })),
    )
    .execute();
}
