import { type RawBuilder, sql } from 'kysely';
import { globMatcher } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { idTable, numberTable } from '../db/engine.ts';
import { within } from '../db/keys.ts';

/** What a scan is over. An account limits what its callers may ask about, whatever the rest says. */
export interface ScanScope {
  /** One image, with the platforms of an index: its manifest's digest in this repository. */
  readonly image?: { readonly repository: string; readonly digest: string };
  readonly repositoryGlob?: string;
  readonly accounts?: readonly string[];
}

/** An image in a repository that has it; null: wherever it is. */
export interface Placement {
  readonly manifestId: number;
  readonly repositoryId: number | null;
  readonly state: 'pending' | 'done' | 'unknown';
  /** Of a state that is not done. */
  readonly reason: string | null;
}

/** The images in scope, without those deleted or withdrawn and without artefacts that are no file systems. */
export async function placementsInScope(database: Database, scope: ScanScope): Promise<Placement[]> {
  const conditions = [
    within(database, 'repository_manifests.repository_id', await repositoriesInScope(database, scope)),
    ...(scope.image ? [isImage(scope.image.digest)] : []),
  ];
  return database.search(
    sql<Placement>`select repository_manifests.manifest_id as "manifestId", ${placed}
      from repository_manifests join images on images.manifest_id = repository_manifests.manifest_id
      where ${inService} and ${sql.join(conditions, sql` and `)}`.compile(database.read),
  );
}

/** Those of these manifests. */
export async function placementsInScopeOf(
  database: Database,
  scope: ScanScope,
  manifestIds: readonly number[],
): Promise<Placement[]> {
  if (manifestIds.length === 0) return [];
  const repositories = await repositoriesInScope(database, scope);
  const rows = await database.search(
    sql<Placement>`select ids.id as "manifestId", ${placed}
      from ${idTable(database.engine, manifestIds)} as ids
      cross join repository_manifests cross join images
      where repository_manifests.manifest_id = ids.id and images.manifest_id = ids.id and ${inService}`.compile(
      database.read,
    ),
  );
  // The repositories are no condition of the search, which would begin with them: they may be many.
  const asked = repositories && new Set(repositories);
  return rows.filter(({ repositoryId }) => asked?.has(repositoryId ?? 0) ?? true);
}

/** How many those are. */
export async function placementCount(
  database: Database,
  scope: ScanScope,
  manifestIds: readonly number[],
): Promise<number> {
  if (manifestIds.length === 0) return 0;
  const repositories = await repositoriesInScope(database, scope);
  const here = within(database, 'repository_manifests.repository_id', repositories);
  const [row] = await database.search(
    sql<{ count: number }>`select count(*) as count from ${idTable(database.engine, manifestIds)} as ids
      cross join repository_manifests cross join images
      where repository_manifests.manifest_id = ids.id and images.manifest_id = ids.id and ${inService} and ${here}`.compile(
      database.read,
    ),
  );
  return Number(row?.count ?? 0);
}

const inService = sql`repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null
  and images.state != 'notApplicable'`;

/** What is in scope at one moment. */
export interface Extent {
  /** How many images, each as often as a repository has it. */
  readonly size: number;
  /** The greatest key of a manifest: what came later has a greater one. */
  readonly newest: number;
  /** Manifests that are not, or not wholly, inspected; of all accounts. */
  readonly uninspected: readonly number[];
}

/** In one statement, so that it is of one moment. */
export async function extentOf(database: Database, scope: ScanScope): Promise<Extent> {
  const repositories = await repositoriesInScope(database, scope);
  const rows = await database.search(
    sql<{ kind: 'size' | 'newest' | 'uninspected'; value: number | null }>`
      select 'size' as kind, count(*) as value
        from repository_manifests join images on images.manifest_id = repository_manifests.manifest_id
        where ${inService} and ${within(database, 'repository_manifests.repository_id', repositories)}
      union all select 'newest', max(manifest_id) from images
      union all select 'uninspected', manifest_id from images where state in ('pending', 'unknown')`.compile(
      database.read,
    ),
  );
  const values = (kind: string) => rows.flatMap((row) => (row.kind === kind ? Number(row.value) : []));
  const [size = 0] = values('size');
  const [newest = 0] = values('newest');
  return { size, newest, uninspected: values('uninspected') };
}

/** Of these images, wherever they are; where no repository has one any more, by itself. */
export async function placementsOf(database: Database, manifestIds: readonly number[]): Promise<Placement[]> {
  if (manifestIds.length === 0) return [];
  return database.search(
    sql<Placement>`select ids.id as "manifestId", ${placed}
      from ${idTable(database.engine, manifestIds)} as ids
      left join images on images.manifest_id = ids.id
      left join repository_manifests on repository_manifests.manifest_id = ids.id
        and repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null`.compile(
      database.read,
    ),
  );
}

const placed = sql`repository_manifests.repository_id as "repositoryId", coalesce(images.state, 'pending') as state,
  case images.state when 'done' then null else images.reason end as reason`;

/** When repositories got images, and when they were last asked for them. */
export interface PlacementDates {
  readonly pushedAt: number | null;
  readonly pulledAt: number | null;
}

/** Of these, in the same order. */
export async function placementDates(
  database: Database,
  placements: readonly Pick<Placement, 'manifestId' | 'repositoryId'>[],
): Promise<readonly PlacementDates[]> {
  const manifestIds = [...new Set(placements.map(({ manifestId }) => manifestId))];
  const rows = await database.search(
    sql<Pick<Placement, 'manifestId' | 'repositoryId'> & PlacementDates>`select ids.id as "manifestId",
        repository_id as "repositoryId", pushed_at as "pushedAt", last_pulled_at as "pulledAt"
      from ${idTable(database.engine, manifestIds)} as ids
      cross join repository_manifests where repository_manifests.manifest_id = ids.id`.compile(database.read),
  );
  const of = new Map(rows.map((row) => [`${row.repositoryId}/${row.manifestId}`, row]));
  return placements.map(({ repositoryId, manifestId }) => {
    const { pushedAt = null, pulledAt = null } = of.get(`${repositoryId}/${manifestId}`) ?? {};
    return { pushedAt, pulledAt };
  });
}

/** undefined: any. */
async function repositoriesInScope(
  database: Database,
  { image, repositoryGlob, accounts }: ScanScope,
): Promise<readonly number[] | undefined> {
  if (image === undefined && repositoryGlob === undefined && accounts === undefined) return undefined;
  const rows = await database.search(
    sql<{ id: number; name: string; account: string }>`select repositories.id, repositories.name,
        accounts.name as account
      from repositories join accounts on accounts.id = repositories.account_id
      where ${image === undefined ? sql`1 = 1` : sql`repositories.name = ${image.repository}`}`.compile(
      database.read,
    ),
  );
  const matches = repositoryGlob === undefined ? () => true : globMatcher(repositoryGlob);
  return rows
    .filter(({ account }) => accounts === undefined || accounts.includes(account))
    .filter(({ name }) => matches(name))
    .map(({ id }) => Number(id));
}

/** It, or an image of the index that it is. */
function isImage(digest: string): RawBuilder<boolean> {
  return sql<boolean>`repository_manifests.manifest_id in (select manifests.id from manifests
    where manifests.digest = ${digest} or manifests.digest in
      (select edges.digest from edges join manifests as parents on parents.id = edges.manifest_id
       where parents.digest = ${digest} and edges.kind = 'child'))`;
}

/** An image as people name it. */
export interface NamedImage {
  readonly repository: string;
  readonly digest: string;
  readonly platform: string | null;
}

/** Of each of these its names and dates, in the same order; undefined for one that is gone. */
export async function placedImages(
  database: Database,
  placements: readonly Pick<Placement, 'manifestId' | 'repositoryId'>[],
): Promise<readonly (PlacedImage | undefined)[]> {
  const asked = numberTable(database.engine, {
    name: 'asked',
    columns: ['place', 'manifest_id', 'repository_id'],
    rows: placements.map(({ manifestId, repositoryId }, at) => [at, manifestId, repositoryId ?? 0]),
  });
  const rows = await database.search(
    sql<
      PlacedImage & { place: number }
    >`select asked.place, repositories.name as repository, manifests.digest,
        manifests.platform, held.pushed_at as "pushedAt", held.last_pulled_at as "pulledAt"
      from ${asked} join manifests on manifests.id = asked.manifest_id
      join repositories on repositories.id = asked.repository_id
      left join repository_manifests as held
        on held.repository_id = asked.repository_id and held.manifest_id = asked.manifest_id`.compile(
      database.read,
    ),
  );
  const at = new Map(rows.map(({ place, ...image }) => [Number(place), image]));
  return placements.map((_, place) => at.get(place));
}

export type PlacedImage = NamedImage & PlacementDates;

/** The names alone. */
export async function imageNames(
  database: Database,
  placements: readonly Pick<Placement, 'manifestId' | 'repositoryId'>[],
): Promise<readonly (NamedImage | undefined)[]> {
  const images = await placedImages(database, placements);
  return images.map((image) => {
    if (!image) return undefined;
    const { repository, digest, platform } = image;
    return { repository, digest, platform };
  });
}

export async function repositoryNames(
  database: Database,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await database.search(
    sql<{
      id: number;
      name: string;
    }>`select id, name from repositories where ${within(database, 'id', ids)}`.compile(database.read),
  );
  return new Map(rows.map(({ id, name }) => [Number(id), name]));
}

/** The digest that a tag of a repository stands for now. */
export async function digestOfTag(
  db: Database['read'],
  repository: string,
  tag: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('tags')
    .innerJoin('repositories', 'repositories.id', 'tags.repository_id')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select('manifests.digest')
    .where('repositories.name', '=', repository)
    .where('tags.name', '=', tag)
    .executeTakeFirst();
  return row?.digest;
}

/** How far the inspection of each of these images has come. */
export async function imageStates(
  database: Database,
  manifestIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await database.search(
    sql<{ manifest_id: number; state: string }>`select manifest_id, state from images
      where ${within(database, 'manifest_id', manifestIds)}`.compile(database.read),
  );
  return new Map(rows.map((row) => [Number(row.manifest_id), row.state]));
}
