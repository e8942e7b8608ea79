import { type RawBuilder, sql } from 'kysely';
import { globMatcher, globPrefix } from '../../lib/globs.ts';
import { within } from '../criteria/found-packages.ts';
import type { Database } from '../db/database.ts';

/** What a scan is over. An account limits what its callers may ask about, whatever the rest says. */
export interface ScanScope {
  /** One image, with the platforms of an index: its manifest's digest in this repository. */
  readonly image?: { readonly repository: string; readonly digest: string };
  readonly repositoryGlob?: string;
  readonly accounts?: readonly string[];
}

/** An image in a repository that has it. */
export interface ScannedImage {
  readonly manifestId: number;
  readonly repository: string;
  readonly account: string;
  readonly digest: string;
  readonly platform: string | null;
  readonly state: 'pending' | 'done' | 'unknown';
  readonly reason: string | null;
}

/** The images in scope, without those deleted or withdrawn and without artefacts that are no file systems. */
export async function imagesInScope(database: Database, scope: ScanScope): Promise<ScannedImage[]> {
  const conditions = [sql<boolean>`images.state != 'notApplicable'`, ...scopeConditions(scope)];
  const rows = await database.search(
    sql<ImageRow>`select repository_manifests.manifest_id, repositories.name as repository, accounts.name as account,
        manifests.digest, manifests.platform, images.state, images.reason
      from repository_manifests
      join images on images.manifest_id = repository_manifests.manifest_id
      join manifests on manifests.id = repository_manifests.manifest_id
      join repositories on repositories.id = repository_manifests.repository_id
      join accounts on accounts.id = repositories.account_id
      where repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null
        and ${sql.join(conditions, sql` and `)}
      order by repositories.name, manifests.id`.compile(database.read),
  );
  const matches = scope.repositoryGlob === undefined ? () => true : globMatcher(scope.repositoryGlob);
  return rows
    .filter((row) => matches(row.repository))
    .map(({ manifest_id, ...row }) => ({ manifestId: Number(manifest_id), ...row }));
}

interface ImageRow extends Omit<ScannedImage, 'manifestId'> {
  readonly manifest_id: number;
}

function scopeConditions(scope: ScanScope): RawBuilder<boolean>[] {
  const conditions: RawBuilder<boolean>[] = [];
  if (scope.image) {
    const { repository, digest } = scope.image;
    conditions.push(sql<boolean>`repositories.name = ${repository}`);
    conditions.push(sql<boolean>`(manifests.digest = ${digest} or manifests.digest in
      (select edges.digest from edges join manifests as parents on parents.id = edges.manifest_id
       where parents.digest = ${digest} and edges.kind = 'child'))`);
  }
  if (scope.repositoryGlob !== undefined) {
    const prefix = globPrefix(scope.repositoryGlob).replace(/[!%_]/g, '!$&');
    conditions.push(sql<boolean>`repositories.name like ${`${prefix}%`} escape '!'`);
  }
  if (scope.accounts)
    conditions.push(
      sql<boolean>`accounts.name in (${sql.join(scope.accounts.length > 0 ? [...scope.accounts] : [''])})`,
    );
  return conditions;
}

/** What is above an image: who names it, and where it runs. */
export interface Above {
  readonly tags: readonly { readonly repository: string; readonly tag: string }[];
  /** Digests of the indexes that name it. */
  readonly indexes: readonly string[];
  readonly containers: readonly RunningContainer[];
}

export interface RunningContainer {
  readonly uid: string;
  readonly deployment: string;
  readonly account: string;
  readonly region: string;
  readonly instance: string;
  readonly state: string;
}

/** Keyed by manifest id; tags of the indexes above count for the image too. */
export async function aboveImages(
  database: Database,
  manifestIds: readonly number[],
): Promise<Map<number, Above>> {
  if (manifestIds.length === 0) return new Map();
  const db = database.read;
  const named = sql`(select id as image_id, id as named_id from manifests where ${within('id', manifestIds)}
    union select children.id, edges.manifest_id from manifests as children
      join edges on edges.digest = children.digest and edges.kind = 'child' where ${within('children.id', manifestIds)})`;
  const tags = await database.search(
    sql<{
      image_id: number;
      repository: string;
      tag: string;
    }>`select distinct named.image_id, repositories.name as repository,
        tags.name as tag
      from ${named} as named join tags on tags.manifest_id = named.named_id
      join repositories on repositories.id = tags.repository_id order by 2, 3`.compile(db),
  );
  const indexes = await database.search(
    sql<{ image_id: number; digest: string }>`select named.image_id, manifests.digest from ${named} as named
      join manifests on manifests.id = named.named_id where named.named_id != named.image_id`.compile(db),
  );
  const containers = await containersOfImages(database, manifestIds);
  const tagsOf = Map.groupBy(tags, (row) => Number(row.image_id));
  const indexesOf = Map.groupBy(indexes, (row) => Number(row.image_id));
  return new Map(
    manifestIds.map((id) => [
      id,
      {
        tags: (tagsOf.get(id) ?? []).map(({ repository, tag }) => ({ repository, tag })),
        indexes: (indexesOf.get(id) ?? []).map((row) => row.digest),
        containers: containers.get(id) ?? [],
      },
    ]),
  );
}

/** What runs of each image, keyed by manifest id. */
export async function containersOfImages(
  database: Database,
  manifestIds: readonly number[],
): Promise<ReadonlyMap<number, readonly RunningContainer[]>> {
  if (manifestIds.length === 0) return new Map();
  const rows = await database.search(
    sql<RunningContainer & { image_id: number }>`select manifests.id as image_id, containers.uid,
        coalesce(deployments.name, containers.deployment_uid) as deployment, containers.account, containers.region,
        containers.instance, containers.state
      from manifests join containers on containers.manifest_digest = manifests.digest
      left join deployments on deployments.uid = containers.deployment_uid
      where ${within('manifests.id', manifestIds)} and containers.state in ('starting', 'running')`.compile(
      database.read,
    ),
  );
  const of = new Map<number, RunningContainer[]>();
  for (const { image_id, ...container } of rows)
    of.set(Number(image_id), [...(of.get(Number(image_id)) ?? []), container]);
  return of;
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

/** How far its inspection has come; undefined of what is no image. */
export async function imageState(db: Database['read'], manifestId: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('images')
    .select('state')
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  return row?.state;
}

/** How far the inspection of each of these images has come. */
export async function imageStates(
  database: Database,
  manifestIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await database.search(
    sql<{ manifest_id: number; state: string }>`select manifest_id, state from images
      where ${within('manifest_id', manifestIds)}`.compile(database.read),
  );
  return new Map(rows.map((row) => [Number(row.manifest_id), row.state]));
}
