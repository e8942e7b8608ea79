import type { Reader } from '../../src/records/db/engine.ts';
import type { InspectionTable } from '../../src/records/db/tables/inventory.ts';
import type { InventoryExtraction, InventoryOs } from '../../src/records/inventory/rows.ts';

/** What the one read of a layer found, without its files and packages, of which it has the numbers. */
export interface LayerInventory {
  readonly digest: string;
  readonly state: InspectionTable['state'];
  readonly reason: string | null;
  readonly diffId: string | null;
  readonly uncompressedBytes: number;
  readonly entries: number;
  readonly files: number;
  readonly packages: number;
  readonly durationMs: number;
  readonly os: InventoryOs | null;
  readonly extractions: readonly InventoryExtraction[];
}

/** undefined for a blob that is not known, or is no layer of any image. */
export async function layerInventory(db: Reader, digest: string): Promise<LayerInventory | undefined> {
  const row = await db
    .selectFrom('inspections')
    .innerJoin('blobs', 'blobs.id', 'inspections.blob_id')
    .selectAll('inspections')
    .where('blobs.digest', '=', digest)
    .executeTakeFirst();
  if (!row) return undefined;
  const extractions = await db
    .selectFrom('extractions')
    .select(['extractor', 'version', 'state', 'reason'])
    .where('blob_id', '=', row.blob_id)
    .orderBy('extractor')
    .execute();
  return {
    digest,
    state: row.state,
    reason: row.reason,
    diffId: row.diff_id,
    uncompressedBytes: row.uncompressed_bytes,
    entries: row.entries,
    files: await countOf(db, 'layer_files', row.blob_id),
    packages: await countOf(db, 'layer_packages', row.blob_id),
    durationMs: row.duration_ms,
    os: row.os === null ? null : JSON.parse(row.os),
    extractions: extractions.map(({ reason, ...extraction }) =>
      reason === null ? extraction : { ...extraction, reason },
    ),
  };
}

async function countOf(db: Reader, table: 'layer_files' | 'layer_packages', blobId: number): Promise<number> {
  const row = await db
    .selectFrom(table)
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('blob_id', '=', blobId)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}
