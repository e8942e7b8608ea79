import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** Where advisories came from, and when that source was last loaded. */
export interface AdvisorySource {
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly importedAt: number;
  readonly documents: number;
}

export async function advisorySourceList(db: Reader): Promise<AdvisorySource[]> {
  const rows = await db.selectFrom('advisory_sources').selectAll().orderBy('source').execute();
  return rows.map((row) => ({ source: row.source, importedAt: row.imported_at, documents: row.documents }));
}

/** @param added documents that were not there before */
export async function advisorySourceLoaded(tx: Tx, source: string, added: number): Promise<void> {
  await tx.db
    .insertInto('advisory_sources')
    .values({ source, imported_at: tx.nowMs, documents: added })
    .onConflict((c) =>
      c.column('source').doUpdateSet((e) => ({
        imported_at: tx.nowMs,
        documents: e('advisory_sources.documents', '+', added),
      })),
    )
    .execute();
}
