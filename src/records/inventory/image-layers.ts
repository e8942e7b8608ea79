import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import type { InspectionTable, LayerFileTable } from '../db/tables/inventory.ts';
import { pathsFind } from './paths.ts';
import type { InventoryOs, PackageFacts } from './rows.ts';

/** A layer in its place in an image, with what its inspection found. */
export interface LayerOfImage {
  readonly position: number;
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** As the image's config claims it. */
  readonly claimedDiffId: string | null;
  /** null: no such blob here. */
  readonly blobId: number | null;
  readonly state: InspectionTable['state'];
  /** The inventory version that it was read with; 0: not in this region. */
  readonly version: number;
  readonly reason: string | null;
  readonly diffId: string | null;
  readonly os: InventoryOs | undefined;
  readonly entries: number;
  readonly durationMs: number;
  /** Extractors that could not read all they should have, with the reason. */
  readonly problems: readonly { readonly extractor: string; readonly reason: string }[];
}

/** From the base up. */
export async function layersOfImage(db: Reader, manifestId: number): Promise<LayerOfImage[]> {
  const rows = await db
    .selectFrom('edges')
    .leftJoin('blobs', (join) =>
      join.onRef('blobs.digest', '=', 'edges.digest').on('blobs.state', '!=', 'condemned'),
    )
    .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
    .select(['edges.position', 'edges.digest', 'edges.media_type', 'edges.size_bytes', 'edges.diff_id'])
    .select(['blobs.id as blob_id', 'inspections.state', 'inspections.reason', 'inspections.os'])
    .select([
      'inspections.version',
      'inspections.diff_id as found_diff_id',
      'inspections.entries',
      'inspections.duration_ms',
    ])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'layer')
    .orderBy('edges.position')
    .execute();
  const problems = await extractionProblems(
    db,
    rows.map((row) => row.blob_id).filter((id) => id !== null),
  );
  return rows.map((row) => ({
    position: row.position,
    digest: row.digest,
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    claimedDiffId: row.diff_id,
    blobId: row.blob_id,
    state: row.state ?? 'pending',
    version: row.version ?? 0,
    reason: row.reason,
    diffId: row.found_diff_id,
    os: row.os === null ? undefined : JSON.parse(row.os),
    entries: row.entries ?? 0,
    durationMs: row.duration_ms ?? 0,
    problems: problems.filter((problem) => problem.blobId === row.blob_id),
  }));
}

async function extractionProblems(db: Reader, blobIds: readonly number[]) {
  if (blobIds.length === 0) return [];
  const rows = await db
    .selectFrom('extractions')
    .select(['blob_id', 'extractor', 'reason'])
    .where('blob_id', 'in', blobIds)
    .where('state', '=', 'unknown')
    // Whether it has malware is a question of its own, whose answer is unknown then.
    .where('extractor', '!=', 'malware')
    .execute();
  return rows.map((row) => ({
    blobId: row.blob_id,
    extractor: row.extractor,
    reason: row.reason ?? 'unknown',
  }));
}

/** The blob of an image's config; no key: its bytes are not here. */
export async function configBlob(
  db: Reader,
  manifestId: number,
): Promise<{ digest: string; storageKey: string | null } | undefined> {
  const row = await db
    .selectFrom('edges')
    .leftJoin('blobs', 'blobs.digest', 'edges.digest')
    .select(['edges.digest', 'blobs.storage_key'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'config')
    .executeTakeFirst();
  return row && { digest: row.digest, storageKey: row.storage_key };
}

/** A package as a layer has it. */
export interface PackageOfLayer {
  readonly packageId: number;
  readonly blobId: number;
  readonly pathId: number;
  readonly path: string;
  readonly extractor: string;
  readonly facts: PackageFacts;
}

export async function packagesOfLayers(
  database: Database,
  blobIds: readonly number[],
): Promise<PackageOfLayer[]> {
  if (blobIds.length === 0) return [];
  const rows = await database.search(
    database.read
      .selectFrom('layer_packages')
      .innerJoin('packages', 'packages.id', 'layer_packages.package_id')
      .innerJoin('paths', 'paths.id', 'layer_packages.path_id')
      .select(['layer_packages.package_id', 'layer_packages.blob_id', 'layer_packages.path_id'])
      .select(['layer_packages.extractor', 'paths.path', 'packages.purl', 'packages.ecosystem'])
      .select(['packages.name', 'packages.version', 'packages.source_name', 'packages.source_version'])
      .select('packages.license')
      .where('layer_packages.blob_id', 'in', blobIds)
      .orderBy('packages.name')
      .orderBy('packages.id')
      .compile(),
  );
  return rows.map((row) => ({
    packageId: row.package_id,
    blobId: row.blob_id,
    pathId: row.path_id,
    path: row.path,
    extractor: row.extractor,
    facts: {
      purl: row.purl,
      ecosystem: row.ecosystem,
      name: row.name,
      version: row.version,
      sourceName: row.source_name ?? undefined,
      sourceVersion: row.source_version ?? undefined,
      license: row.license ?? undefined,
    },
  }));
}

/** The records that these layers have of some paths, by layer. */
export async function filesAtPaths(
  database: Database,
  blobIds: readonly number[],
  paths: readonly string[],
): Promise<Map<number, { path: string; kind: LayerFileTable['kind'] }[]>> {
  const ids = [...(await pathsFind({ engine: database.engine, db: database.read }, paths)).values()].map(
    (id) => ({ id }),
  );
  const found = new Map<number, { path: string; kind: LayerFileTable['kind'] }[]>();
  if (blobIds.length === 0) return found;
  for (const part of chunked(ids)) {
    const rows = await database.search(
      sql<{
        blob_id: number;
        path: string;
        kind: LayerFileTable['kind'];
      }>`select layer_files.blob_id, paths.path,
          layer_files.kind
        from layer_files join paths on paths.id = layer_files.path_id
        where layer_files.blob_id in (${sql.join([...blobIds])})
          and layer_files.path_id in (${sql.join(part.map(({ id }) => id))})`.compile(database.read),
    );
    for (const { blob_id: blobId, path, kind } of rows) {
      const list = found.get(blobId);
      if (list) list.push({ path, kind });
      else found.set(blobId, [{ path, kind }]);
    }
  }
  return found;
}
