import { sql } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { unknownLicence } from '../../licences/expression.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit } from '../db/engine.ts';
import type { ImageTable } from '../db/tables/inventory.ts';
import { layersOfImage } from './image-layers.ts';
import type { InventoryOs } from './rows.ts';

/** All packages that an image shows, with what else a bill of materials tells of it. */
export interface ImageContents {
  readonly state: ImageTable['state'];
  readonly reason: string | null;
  readonly os: InventoryOs | null;
  /** As its config says. */
  readonly createdAt: number | null;
  readonly platform: string | null;
  /** Digests, from the base up. */
  readonly layers: readonly string[];
  /** Each distinct one once, in order of purl and name. */
  readonly packages: readonly PackageInImage[];
}

export interface PackageInImage {
  readonly purl: string;
  readonly name: string;
  readonly version: string;
  readonly sourceName: string | null;
  readonly sourceVersion: string | null;
  /** As an SPDX expression where all of it is understood, else as the package states it. */
  readonly license: string | null;
  /** In order of their paths. */
  readonly places: readonly PackagePlace[];
}

export interface PackagePlace {
  readonly path: string;
  /** The layer's digest. */
  readonly layer: string;
  /** Of the file at this path, hex; null: it is none, or its bytes were not hashed. */
  readonly sha256: string | null;
}

/** undefined for what has no view: an index, an artefact that is no image. @throws tooLarge */
export async function imageContents(
  database: Database,
  manifestId: number,
): Promise<ImageContents | undefined> {
  const row = await database.read
    .selectFrom('images')
    .innerJoin('manifests', 'manifests.id', 'images.manifest_id')
    .select(['images.state', 'images.reason', 'images.os', 'images.created_at'])
    .select('manifests.platform')
    .where('images.manifest_id', '=', manifestId)
    .executeTakeFirst();
  if (!row) return undefined;
  const layers = await layersOfImage(database.read, manifestId);
  return {
    state: row.state,
    reason: row.reason,
    os: row.os === null ? null : JSON.parse(row.os),
    createdAt: row.created_at,
    platform: row.platform,
    layers: layers.map(({ digest }) => digest),
    packages: grouped(await placedPackages(database, manifestId)),
  };
}

interface PlacedRow extends Omit<PackageInImage, 'places'> {
  readonly spdx: string | null;
  readonly packageId: number;
  readonly path: string;
  readonly layer: string;
  readonly sha256: Uint8Array | null;
}

async function placedPackages(database: Database, manifestId: number): Promise<PlacedRow[]> {
  const order = ['packages.purl', 'packages.name', 'paths.path'].map((column) =>
    byCodeUnit(database.engine, column),
  );
  const placesMax = limits.sbomPackagesMax;
  const rows = await database.search(
    sql<PlacedRow>`select packages.id as "packageId", packages.purl, packages.name, packages.version,
        packages.source_name as "sourceName", packages.source_version as "sourceVersion",
        packages.license, packages.spdx,
        paths.path, blobs.digest as layer, layer_files.sha256
      from image_packages
      join packages on packages.id = image_packages.package_id
      join paths on paths.id = image_packages.path_id
      join blobs on blobs.id = image_packages.blob_id
      left join layer_files on layer_files.blob_id = image_packages.blob_id
        and layer_files.path_id = image_packages.path_id
      where image_packages.manifest_id = ${manifestId}
      order by ${sql.join(order)} limit ${placesMax + 1}`.compile(database.read),
  );
  if (rows.length <= placesMax) return rows;
  throw new LazaretError('tooLarge', `the image has packages in more than ${placesMax} places`, {
    detail: { limit: 'sbomPackagesMax', max: placesMax },
  });
}

function grouped(rows: readonly PlacedRow[]): PackageInImage[] {
  return [...Map.groupBy(rows, (row) => Number(row.packageId)).values()].flatMap((places) => {
    const [first] = places;
    if (!first) return [];
    const { purl, name, version, sourceName, sourceVersion } = first;
    const license = first.spdx?.includes(unknownLicence) === false ? first.spdx : first.license;
    const where = places.map(({ path, layer, sha256 }) => ({
      path,
      layer,
      sha256: sha256 === null ? null : Buffer.from(sha256).toString('hex'),
    }));
    return [{ purl, name, version, sourceName, sourceVersion, license, places: where }];
  });
}
