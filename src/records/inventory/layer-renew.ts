/**
 * Layers that a newer list of extractors has nothing new to say of: told by the records of their files, without a look at
 * their bytes.
 */
import { sql } from 'kysely';
import type { Database, Tx } from '../db/database.ts';
import type { LayerFileTable } from '../db/tables/inventory.ts';
import type { ExtractorVersion } from './inventory-versions.ts';

export interface FileHeader {
  readonly path: string;
  readonly kind: Extract<LayerFileTable['kind'], 'file' | 'link' | 'hardlink'>;
  readonly sizeBytes: number;
  readonly mode: number;
}

const filesAtOnce = 5_000;

/** A layer's files and links, some at a time. */
export async function* layerFileHeaders(
  database: Database,
  blobId: number,
): AsyncGenerator<readonly FileHeader[]> {
  for (let after = -1, count = filesAtOnce; count === filesAtOnce; ) {
    const rows = await database.search(
      sql<
        FileHeader & { readonly id: number }
      >`select layer_files.path_id as id, paths.path, layer_files.kind,
          layer_files.size_bytes as "sizeBytes", layer_files.mode
        from layer_files join paths on paths.id = layer_files.path_id
        where layer_files.blob_id = ${blobId} and layer_files.path_id > ${after}
          and layer_files.kind in ('file', 'link', 'hardlink')
        order by layer_files.path_id limit ${filesAtOnce}`.compile(database.read),
    );
    yield rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes), mode: Number(row.mode) }));
    after = Number(rows.at(-1)?.id ?? after);
    count = rows.length;
  }
}

/** Whether these extractors, as far as they read the layer before, had read all that they wanted of it. */
export async function extractionsDone(
  database: Database,
  blobId: number,
  extractors: readonly ExtractorVersion[],
): Promise<boolean> {
  const missed = await database.read
    .selectFrom('extractions')
    .select('extractor')
    .where('blob_id', '=', blobId)
    .where(
      'extractor',
      'in',
      extractors.map(({ name }) => name),
    )
    .where('state', '!=', 'done')
    .executeTakeFirst();
  return missed === undefined;
}

/** What is known of the layer is what `extractors` would find, which is the inventory version `version`. */
export async function inspectionRenew(
  tx: Tx,
  blobId: number,
  { version, extractors }: { readonly version: number; readonly extractors: readonly ExtractorVersion[] },
): Promise<void> {
  await tx.db
    .updateTable('inspections')
    .set({ version, inspected_at: tx.nowMs })
    .where('blob_id', '=', blobId)
    .execute();
  for (const { name: extractor, version: own } of extractors)
    await tx.db
      .insertInto('extractions')
      .values({ blob_id: blobId, extractor, version: own, state: 'done', reason: null })
      .onConflict((c) => c.columns(['blob_id', 'extractor']).doUpdateSet({ version: own }))
      .execute();
}
