import { sql } from 'kysely';
import { globMatcher, globPrefix } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { within } from '../db/keys.ts';

/** Everything that marks would reach, for repositories of one account or (undefined) all. */
export interface Reached {
  readonly layers: readonly ReachedLayer[];
  readonly images: readonly ReachedImage[];
}

export interface ReachedLayer {
  readonly digest: string;
  readonly diffId: string | null;
  readonly sizeBytes: number;
}

export interface ReachedImage {
  readonly manifestId: number;
  readonly repository: string;
  readonly digest: string;
}

export interface Targets {
  readonly layers: readonly string[];
  readonly manifests: readonly string[];
  /** Globs. */
  readonly repositories: readonly string[];
}

/** The layers named, with all other compressions of them that are here, and the images that need one or are named, or are
 * in a repository that is. */
export async function reachOf(
  database: Database,
  targets: Targets,
  account: string | undefined,
): Promise<Reached> {
  const layers = await layersOf(database, targets.layers);
  const digests = [...layers.map((layer) => layer.digest), ...targets.layers];
  const diffIds = layers.map((layer) => layer.diffId).filter((id) => id !== null);
  const repositoryIds = await repositoriesMatching(database, targets.repositories);
  const images = await database.search(
    sql<{
      manifest_id: number;
      repository: string;
      digest: string;
    }>`select distinct repository_manifests.manifest_id,
        repositories.name as repository, manifests.digest
      from repository_manifests
      join manifests on manifests.id = repository_manifests.manifest_id
      join repositories on repositories.id = repository_manifests.repository_id
      join accounts on accounts.id = repositories.account_id
      where repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null
        and ${account === undefined ? sql`1 = 1` : sql`accounts.name = ${account}`}
        and manifests.id in (
          select edges.manifest_id from edges where edges.digest in (${list(digests)}) and edges.kind in ('layer', 'config')
          union select edges.manifest_id from edges where edges.diff_id in (${list(diffIds)})
            and edges.kind in ('layer', 'config')
          union select named.id from manifests as named where named.digest in (${list(targets.manifests)})
          union select held.manifest_id from repository_manifests as held
            where ${within(database, 'held.repository_id', repositoryIds)})
        and (${repositoryIds.length === 0 ? sql`1 = 1` : within(database, 'repositories.id', repositoryIds)} or exists (
          select 1 from edges where edges.manifest_id = manifests.id and edges.kind in ('layer', 'config')
            and (edges.digest in (${list(digests)}) or edges.diff_id in (${list(diffIds)})))
          or manifests.digest in (${list(targets.manifests)}))
      order by 2, 3`.compile(database.read),
  );
  return {
    layers,
    images: images.map(({ manifest_id, ...image }) => ({ manifestId: Number(manifest_id), ...image })),
  };
}

async function repositoriesMatching(database: Database, globs: readonly string[]): Promise<number[]> {
  const found = new Set<number>();
  for (const glob of globs) {
    const prefix = globPrefix(glob).replace(/[!%_]/g, '!$&');
    const rows = await database.search(
      sql<{ id: number; name: string }>`select id, name from repositories
        where name like ${`${prefix}%`} escape '!'`.compile(database.read),
    );
    const matches = globMatcher(glob);
    for (const row of rows) if (matches(row.name)) found.add(Number(row.id));
  }
  return [...found];
}

async function layersOf(database: Database, digests: readonly string[]): Promise<ReachedLayer[]> {
  const rows = await database.search(
    sql<{
      digest: string;
      diff_id: string | null;
      size_bytes: number;
    }>`select blobs.digest, inspections.diff_id, blobs.size_bytes
      from blobs left join inspections on inspections.blob_id = blobs.id
      where blobs.id in (
        select named.id from blobs as named where named.digest in (${list(digests)})
        union select same.blob_id from blobs as named
          join inspections as own on own.blob_id = named.id
          join inspections as same on same.diff_id = own.diff_id
          where named.digest in (${list(digests)}))
      order by blobs.digest`.compile(database.read),
  );
  return rows.map((row) => ({ digest: row.digest, diffId: row.diff_id, sizeBytes: Number(row.size_bytes) }));
}

/** The empty text is no digest: it keeps the list from being empty. */
function list(values: readonly string[]) {
  return sql.join(['', ...values]);
}
