import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { byCodeUnit, type Reader } from '../db/engine.ts';
import type { ManifestTable } from '../db/tables/catalog.ts';
import type { ImageTable } from '../db/tables/inventory.ts';

/** An image, or an index, in a repository that has it. */
export interface ListedImage {
  readonly manifestId: number;
  readonly repository: string;
  readonly digest: string;
  readonly kind: ManifestTable['kind'];
  readonly platform: string | null;
  readonly tags: readonly string[];
  /** Config and layers; of an index, 0. */
  readonly sizeBytes: number;
  readonly layers: number;
  readonly packages: number;
  /** null: an index, whose images are listed by themselves. */
  readonly state: ImageTable['state'] | 'withdrawn' | null;
  readonly reason: string | null;
  readonly pushedAt: number;
}

export interface RepositoryOfAccount {
  readonly name: string;
  readonly account: string;
}

/** All, sorted by code unit. */
export async function repositoriesAll(database: Database): Promise<RepositoryOfAccount[]> {
  return database.read
    .selectFrom('repositories')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.name', 'accounts.name as account'])
    .orderBy(byCodeUnit(database.engine, 'repositories.name'))
    .execute();
}

/** Of one repository, in the order in which it first had them, after one of them. */
export async function imageList(
  database: Database,
  asked: { readonly repository: string; readonly afterManifestId: number; readonly limit: number },
): Promise<ListedImage[]> {
  const { repository, afterManifestId, limit } = asked;
  const rows = await database.search(
    sql<ImageRow>`select manifests.id as "manifestId", repositories.name as repository, manifests.digest,
        manifests.kind, manifests.platform, images.state, images.reason, repository_manifests.pushed_at as "pushedAt",
        repository_manifests.withdrawn_at as "withdrawnAt",
        (select count(*) from edges where edges.manifest_id = manifests.id and edges.kind = 'layer') as layers,
        (select coalesce(sum(edges.size_bytes), 0) from edges where edges.manifest_id = manifests.id
          and edges.kind in ('config', 'layer')) as "sizeBytes",
        (select count(*) from image_packages where image_packages.manifest_id = manifests.id) as packages
      from repository_manifests
      join repositories on repositories.id = repository_manifests.repository_id
      join manifests on manifests.id = repository_manifests.manifest_id
      left join images on images.manifest_id = manifests.id
      where repositories.name = ${repository} and repository_manifests.deleted_at is null
        and manifests.kind in ('image', 'index') and manifests.id > ${afterManifestId}
      order by manifests.id limit ${limit}`.compile(database.read),
  );
  const tags = await tagsOf(
    database,
    repository,
    rows.map((row) => Number(row.manifestId)),
  );
  return rows.map(({ withdrawnAt, ...row }) => ({
    ...row,
    manifestId: Number(row.manifestId),
    layers: Number(row.layers),
    sizeBytes: Number(row.sizeBytes),
    packages: Number(row.packages),
    pushedAt: Number(row.pushedAt),
    state: withdrawnAt === null ? row.state : 'withdrawn',
    tags: tags.get(Number(row.manifestId)) ?? [],
  }));
}

interface ImageRow extends Omit<ListedImage, 'tags' | 'state'> {
  readonly state: ImageTable['state'] | null;
  readonly withdrawnAt: number | null;
}

export async function tagsOf(
  database: Database,
  repository: string,
  manifestIds: readonly number[],
): Promise<Map<number, string[]>> {
  if (manifestIds.length === 0) return new Map();
  const rows = await database.read
    .selectFrom('tags')
    .innerJoin('repositories', 'repositories.id', 'tags.repository_id')
    .select(['tags.manifest_id', 'tags.name'])
    .where('repositories.name', '=', repository)
    .where('tags.manifest_id', 'in', manifestIds)
    .orderBy(byCodeUnit(database.engine, 'tags.name'))
    .execute();
  const tags = new Map<number, string[]>();
  for (const row of rows) tags.set(row.manifest_id, [...(tags.get(row.manifest_id) ?? []), row.name]);
  return tags;
}

/** What an index names, in its order. */
export async function childrenOf(
  db: Reader,
  manifestId: number,
): Promise<{ digest: string; platform: string | null; state: ImageTable['state'] | null }[]> {
  return db
    .selectFrom('edges')
    .leftJoin('manifests', 'manifests.digest', 'edges.digest')
    .leftJoin('images', 'images.manifest_id', 'manifests.id')
    .select(['edges.digest', 'manifests.platform', 'images.state'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'child')
    .orderBy('edges.position')
    .execute();
}
