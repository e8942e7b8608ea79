import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { InspectionTable, LayerFileTable } from '../db/tables/inventory.ts';
import type { InventoryExtraction, InventoryOs } from './rows.ts';

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

export interface ListedFile {
  readonly path: string;
  readonly kind: LayerFileTable['kind'];
  readonly sizeBytes: number;
  readonly mode: number;
  /** Hex. */
  readonly sha256: string | null;
}

/** In order of their paths, after `offset` of them. */
export async function layerFiles(
  database: Database,
  { digest, offset, limit }: { digest: string; offset: number; limit: number },
): Promise<ListedFile[]> {
  const rows = await database.search(
    sql<Omit<ListedFile, 'sizeBytes' | 'sha256'> & { size_bytes: number; sha256: Uint8Array | null }>`
      select paths.path, layer_files.kind, layer_files.size_bytes, layer_files.mode, layer_files.sha256
      from layer_files join blobs on blobs.id = layer_files.blob_id join paths on paths.id = layer_files.path_id
      where blobs.digest = ${digest} order by paths.path limit ${limit} offset ${offset}`.compile(
      database.read,
    ),
  );
  return rows.map(({ path, kind, size_bytes: sizeBytes, mode, sha256 }) => ({
    path,
    kind,
    sizeBytes: Number(sizeBytes),
    mode: Number(mode),
    sha256: sha256 === null ? null : Buffer.from(sha256).toString('hex'),
  }));
}
