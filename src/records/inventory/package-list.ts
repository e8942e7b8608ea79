import { type RawBuilder, sql } from 'kysely';
import type { ListKey } from '../../lib/cursor.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import {
  globFilter,
  type InventoryAsk,
  type InventoryPage,
  layersAsked,
  listedLayers,
  readPage,
} from './list.ts';

/** A package where a layer has it. */
export interface ListedPackage {
  readonly purl: string;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly sourceName: string | null;
  readonly sourceVersion: string | null;
  /** As the package states it. */
  readonly license: string | null;
  /** The same as an SPDX expression; null: there is none, or it is not understood. */
  readonly spdx: string | null;
  /** Its digest. */
  readonly layer: string;
  readonly path: string;
  /** Whether the image shows it. */
  readonly shown: boolean;
}

export interface PackageAsk extends InventoryAsk {
  /** As in its purl. */
  readonly type?: string | undefined;
  /** A glob. */
  readonly name?: string | undefined;
}

export interface LicenceAsk extends PackageAsk {
  /** A glob over SPDX expressions; `unknown` for those that are not known. */
  readonly licence?: string | undefined;
}

interface PackageRow extends Omit<ListedPackage, 'layer' | 'shown'> {
  readonly packageId: number;
  readonly pathId: number;
  readonly blobId: number;
  readonly isShown: number;
}

/** In order of their names. @throws invalid */
export function packageList(database: Database, ask: PackageAsk): Promise<InventoryPage<ListedPackage>> {
  return listed(database, ask, byName);
}

/**
 * In order of their licences' expressions, unknown ones first, and of their names. @throws invalid
 */
export function licenceList(database: Database, ask: LicenceAsk): Promise<InventoryPage<ListedPackage>> {
  return listed(database, ask, byLicence);
}

/** What a list is in order of: a text that the query makes of a package, and the same text of a row. */
interface PackageOrder {
  readonly text: RawBuilder<string>;
  readonly textOf: (row: PackageRow) => string;
}

const byName: PackageOrder = { text: sql<string>`packages.name`, textOf: ({ name }) => name };

/** No expression has a tabulator, which comes before all that they have: so those of one expression stay together. */
const byLicence: PackageOrder = {
  text: sql<string>`(coalesce(packages.spdx, '') || ${sql.lit('\t')} || packages.name)`,
  textOf: ({ spdx, name }) => `${spdx ?? ''}\t${name}`,
};

async function listed(
  database: Database,
  ask: LicenceAsk,
  order: PackageOrder,
): Promise<InventoryPage<ListedPackage>> {
  const layers = await listedLayers(database.read, ask.manifestId);
  const digests = new Map(layers.map(({ blobId, digest }) => [blobId, digest]));
  const blobIds = layersAsked(layers, ask).map(({ blobId }) => blobId);
  return readPage<PackageRow, ListedPackage>({
    ask,
    keyIds: 3,
    rowsAfter: (after, limit) => packageRows(database, { ...ask, blobIds, order }, { after, limit }),
    keyOf: (row) => ({
      text: order.textOf(row),
      ids: [row.packageId, row.pathId, row.blobId].map(Number),
    }),
    matches: globFilter<PackageRow>(
      { glob: ask.name, of: ({ name }) => name },
      { glob: ask.licence, of: ({ spdx }) => spdx ?? 'unknown' },
      { glob: ask.path, of: ({ path }) => path },
    ),
    itemsOf: async (rows) =>
      rows.map(({ packageId: _, pathId: _path, blobId, isShown, ...found }) => ({
        ...found,
        layer: digests.get(Number(blobId)) ?? '',
        shown: Number(isShown) === 1,
      })),
  });
}

interface RowsAsked extends PackageAsk {
  readonly blobIds: readonly number[];
  readonly order: PackageOrder;
}

function packageRows(
  database: Database,
  { manifestId, place, type, blobIds, order }: RowsAsked,
  { after, limit }: { after: ListKey | undefined; limit: number },
): Promise<PackageRow[]> {
  const text = byCodeUnit(database.engine, order.text);
  const found = place === 'image' ? sql`image_packages` : sql`layer_packages`;
  const conditions = [
    within(database, 'found.blob_id', blobIds),
    ...(place === 'image' ? [sql<boolean>`found.manifest_id = ${manifestId}`] : []),
    ...(type === undefined ? [] : [sql<boolean>`packages.purl_type = ${type}`]),
    ...(after === undefined
      ? []
      : [
          sql<boolean>`(${text}, packages.id, found.path_id, found.blob_id) > (${after.text}, ${sql.join([...after.ids])})`,
        ]),
  ];
  return database.search(
    sql<PackageRow>`select packages.purl, packages.ecosystem, packages.name, packages.version,
        packages.source_name as "sourceName", packages.source_version as "sourceVersion", packages.license,
        packages.spdx, paths.path, packages.id as "packageId", found.path_id as "pathId", found.blob_id as "blobId",
        case when image_packages.package_id is null then 0 else 1 end as "isShown"
      from ${found} as found
      join packages on packages.id = found.package_id
      join paths on paths.id = found.path_id
      left join image_packages on image_packages.manifest_id = ${manifestId}
        and image_packages.package_id = found.package_id and image_packages.path_id = found.path_id
        and image_packages.blob_id = found.blob_id
      where ${sql.join(conditions, sql` and `)}
      order by ${text}, packages.id, found.path_id, found.blob_id limit ${limit}`.compile(database.read),
  );
}
