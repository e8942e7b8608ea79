import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { InspectionTable } from '../db/tables/inventory.ts';
import { jobEnqueue } from '../jobs/jobs.ts';

/** A layer's blob as an inspection needs it. */
export interface InspectedBlob {
  readonly id: number;
  readonly digest: string;
  readonly storageKey: string;
}

/** undefined when its bytes are not here: collected, or not copied yet. */
export async function inspectedBlob(db: Reader, digest: string): Promise<InspectedBlob | undefined> {
  const row = await db
    .selectFrom('blobs')
    .select(['id', 'digest', 'storage_key'])
    .where('digest', '=', digest)
    .where('state', '=', 'live')
    .executeTakeFirst();
  return row?.storage_key ? { id: row.id, digest: row.digest, storageKey: row.storage_key } : undefined;
}

export function inspectionOf(
  db: Reader,
  blobId: number,
): Promise<Pick<InspectionTable, 'state' | 'version'> | undefined> {
  return db
    .selectFrom('inspections')
    .select(['state', 'version'])
    .where('blob_id', '=', blobId)
    .executeTakeFirst();
}

/**
 * Images whose view is wanted and can be made: each layer was read, or is not here and will not come by itself. A layer
 * that is a blob of another region is waited for, and so is one that is being pushed again.
 * @param layerDigest only images with this layer
 */
export async function imagesReady(
  database: Database,
  { limit, layerDigest }: { limit: number; layerDigest?: string },
): Promise<number[]> {
  if (!(await anyViewWanted(database.read))) return [];
  const ofLayer =
    layerDigest === undefined
      ? sql<boolean>`1 = 1`
      : sql<boolean>`images.manifest_id in (select edges.manifest_id from edges
          where edges.digest = ${layerDigest} and edges.kind = 'layer')`;
  const rows = await database.search(
    sql<{ manifest_id: number }>`select images.manifest_id from images
      where images.wanted > 0 and ${ofLayer} and not exists (
        select 1 from edges
        join blobs on blobs.digest = edges.digest and blobs.state != 'condemned'
        left join inspections on inspections.blob_id = blobs.id
        where edges.manifest_id = images.manifest_id
          and ((edges.kind = 'layer' and coalesce(inspections.state, 'pending') = 'pending')
            or (edges.kind = 'config' and blobs.state = 'remote')))
      order by images.manifest_id limit ${limit}`.compile(database.read),
  );
  return rows.map((row) => Number(row.manifest_id));
}

/**
 * Repairs: enqueues the inspection of layers that an image waits for, whose bytes are here, and that no job is for.
 * @returns how many
 */
export async function inspectionsRepair(database: Database, limit: number): Promise<number> {
  if (!(await anyViewWanted(database.read))) return 0;
  const rows = await database.search(
    sql<{ digest: string; media_type: string }>`select distinct edges.digest, edges.media_type from images
      join edges on edges.manifest_id = images.manifest_id and edges.kind = 'layer'
      join blobs on blobs.digest = edges.digest and blobs.state = 'live' and blobs.storage_key is not null
      left join inspections on inspections.blob_id = blobs.id
      left join jobs on jobs.kind = 'inspect' and jobs.key = edges.digest
      where images.wanted > 0 and jobs.id is null and coalesce(inspections.state, 'pending') = 'pending'
      limit ${limit}`.compile(database.read),
  );
  if (rows.length > 0)
    await database.transact(async (tx) => {
      for (const { digest, media_type: mediaType } of rows)
        await jobEnqueue(tx, { kind: 'inspect', key: digest, payload: { digest, mediaType } });
    });
  return rows.length;
}

/**
 * One look at an index, which is of this very condition, so it is written out. Most commits are no news for images, and
 * a search would start its thread for nothing.
 */
async function anyViewWanted(db: Reader): Promise<boolean> {
  const row = await db
    .selectFrom('images')
    .select('manifest_id')
    .where('wanted', '>', sql.lit(0))
    .executeTakeFirst();
  return row !== undefined;
}
