import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { idTable } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import type { Placement } from './images.ts';

/** A container that runs; `manifestId` is null for an image that was never seen here. */
export interface RunningPlace {
  readonly uid: string;
  readonly region: string;
  readonly manifestId: number | null;
}

/** Of these accounts' instances; undefined: of all. */
export async function runningPlaces(
  database: Database,
  accounts: readonly string[] | undefined,
): Promise<readonly RunningPlace[]> {
  if (accounts?.length === 0) return [];
  const rows = await database.search(
    sql<{
      uid: string;
      region: string;
      id: number | null;
    }>`select containers.uid, containers.region, manifests.id
      from containers left join manifests on manifests.digest = containers.manifest_digest
      where containers.state in ('starting', 'running')
        and ${accounts ? sql`containers.account in (${sql.join([...accounts])})` : sql`1 = 1`}`.compile(
      database.read,
    ),
  );
  return rows.map(({ uid, region, id }) => ({ uid, region, manifestId: id === null ? null : Number(id) }));
}

/** How many tags of these repositories name these images or an index above them. */
export async function tagCount(
  database: Database,
  of: { readonly manifestIds: readonly number[]; readonly repositoryIds: readonly number[] },
): Promise<number> {
  if (of.manifestIds.length === 0) return 0;
  const ids = idTable(database.engine, of.manifestIds);
  const here = within(database, 'tags.repository_id', of.repositoryIds);
  const [row] = await database.search(
    sql<{ tags: number }>`select count(*) as tags from (
      select tags.repository_id, tags.name from ${ids} as ids join tags on tags.manifest_id = ids.id where ${here}
      union select tags.repository_id, tags.name from ${ids} as ids join manifests on manifests.id = ids.id
        join edges on edges.digest = manifests.digest and edges.kind = 'child'
        join tags on tags.manifest_id = edges.manifest_id where ${here}) as named`.compile(database.read),
  );
  return Number(row?.tags ?? 0);
}

/** What layers are read with, by number: `apk@1 dpkg@2`. */
export interface Inventory {
  readonly number: number;
  readonly extractors: string;
}

export async function inventories(database: Database): Promise<readonly Inventory[]> {
  const rows = await database.read.selectFrom('inventory_versions').selectAll().orderBy('id').execute();
  return rows.map(({ id, extractors }) => ({ number: Number(id), extractors }));
}

/** With which of them the layers of each image were read; of most there is but one, with which all layers were read. */
export async function inventoriesOf(
  database: Database,
  placements: readonly Pick<Placement, 'manifestId' | 'state'>[],
): Promise<ReadonlyMap<number, readonly number[]>> {
  const only = await onlyVersion(database);
  const found = new Map<number, readonly number[]>();
  const others = new Set<number>();
  for (const { manifestId, state } of placements)
    if (only !== undefined && state === 'done') found.set(manifestId, [only]);
    else others.add(manifestId);
  if (others.size === 0) return found;
  const rows = await database.search(
    sql<{ id: number; version: number }>`select distinct edges.manifest_id as id, inspections.version
      from edges join blobs on blobs.digest = edges.digest
      join inspections on inspections.blob_id = blobs.id
      where edges.kind = 'layer' and inspections.version > 0 and ${within(database, 'edges.manifest_id', [...others])}
      order by 1, 2`.compile(database.read),
  );
  for (const [id, of] of Map.groupBy(rows, (row) => Number(row.id)))
    found.set(
      id,
      of.map(({ version }) => Number(version)),
    );
  return found;
}

/** undefined: there are none, or several. */
async function onlyVersion(database: Database): Promise<number | undefined> {
  const [row] = await database.search(
    sql<{ least: number | null; greatest: number | null }>`select
      (select min(version) from inspections where version > 0) as least,
      (select max(version) from inspections where version > 0) as greatest`.compile(database.read),
  );
  return row?.least && row.least === row.greatest ? Number(row.least) : undefined;
}

/** A region, and when it was last heard of. */
export interface HeardRegion {
  readonly name: string;
  readonly self: boolean;
  /** null: never. */
  readonly heardAt: number | null;
}

export async function regionsHeard(database: Database): Promise<readonly HeardRegion[]> {
  const rows = await database.read
    .selectFrom('regions')
    .select(['name', 'is_self', 'last_heard_at'])
    .orderBy('is_self', 'desc')
    .orderBy('name')
    .execute();
  return rows.map((row) => ({ name: row.name, self: row.is_self === 1, heardAt: row.last_heard_at }));
}
