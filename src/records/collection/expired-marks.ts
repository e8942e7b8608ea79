import { sql } from 'kysely';
import { globMatcher, globPrefix } from '../../lib/globs.ts';
import type { Reader } from '../db/engine.ts';

/** A layer that is still here although its quarantine's retention has ended. */
export interface ExpiredLayer {
  readonly quarantine: string;
  readonly digest: string;
}

/** By digest, after `page.after`. */
export async function expiredLayers(
  db: Reader,
  nowMs: number,
  page: { readonly after: string; readonly limit: number },
): Promise<ExpiredLayer[]> {
  const { rows } = await sql<ExpiredLayer>`select distinct quarantines.name as quarantine, blobs.digest
    from quarantines
    join marks on marks.quarantine_id = quarantines.id and marks.target = 'layer'
    join blobs on (blobs.digest = marks.digest or blobs.id in
      (select inspections.blob_id from inspections where inspections.diff_id = marks.diff_id))
    where quarantines.released_at is null and quarantines.legal_hold = 0 and quarantines.retain_until <= ${nowMs}
      and blobs.state != 'condemned' and blobs.digest > ${page.after}
    order by blobs.digest, quarantines.name limit ${page.limit}`.execute(db);
  return rows;
}

/** A manifest that carries a mark of its own whose retention has ended, in a repository in the mark's scope. */
export interface ExpiredManifest {
  readonly quarantine: string;
  readonly repositoryId: number;
  readonly manifestId: number;
  readonly repository: string;
  readonly digest: string;
}

export async function expiredManifests(db: Reader, nowMs: number, limit: number): Promise<ExpiredManifest[]> {
  const { rows } =
    await sql<ExpiredManifestRow>`select quarantines.name as quarantine, repositories.name as repository,
      manifests.digest, repository_manifests.repository_id, repository_manifests.manifest_id
    from quarantines
    join marks on marks.quarantine_id = quarantines.id and marks.target = 'manifest'
    join manifests on manifests.digest = marks.digest
    join repository_manifests on repository_manifests.manifest_id = manifests.id
    join repositories on repositories.id = repository_manifests.repository_id
    join accounts on accounts.id = repositories.account_id
    where quarantines.released_at is null and quarantines.legal_hold = 0 and quarantines.retain_until <= ${nowMs}
      and repository_manifests.withdrawn_at is null and repositories.home_region = (select value from settings where key = 'region')
      and (quarantines.scope_account is null or quarantines.scope_account = accounts.name)
    limit ${limit}`.execute(db);
  return rows.map(({ repository_id, manifest_id, ...row }) => ({
    ...row,
    repositoryId: Number(repository_id),
    manifestId: Number(manifest_id),
  }));
}

interface ExpiredManifestRow {
  readonly quarantine: string;
  readonly repository: string;
  readonly digest: string;
  readonly repository_id: number;
  readonly manifest_id: number;
}

/** The manifests in service of the repositories that a mark names by glob, whose retention has ended. */
export async function expiredInRepositories(
  db: Reader,
  nowMs: number,
  limit: number,
): Promise<ExpiredManifest[]> {
  const expired = await db
    .selectFrom('quarantines')
    .innerJoin('marks', 'marks.quarantine_id', 'quarantines.id')
    .select(['quarantines.name', 'quarantines.scope_account', 'marks.repository_glob'])
    .where('marks.target', '=', 'repository')
    .where('quarantines.released_at', 'is', null)
    .where('quarantines.legal_hold', '=', 0)
    .where('quarantines.retain_until', '<=', nowMs)
    .execute();
  const found: ExpiredManifest[] = [];
  for (const { name, scope_account, repository_glob } of expired) {
    if (repository_glob === null || found.length >= limit) continue;
    const inGlob = { glob: repository_glob, account: scope_account, limit: limit - found.length };
    found.push(...(await manifestsInGlob(db, inGlob)).map((one) => ({ ...one, quarantine: name })));
  }
  return found;
}

async function manifestsInGlob(
  db: Reader,
  { glob, account, limit }: { glob: string; account: string | null; limit: number },
): Promise<Omit<ExpiredManifest, 'quarantine'>[]> {
  const prefix = globPrefix(glob).replace(/[!%_]/g, '!$&');
  const { rows } = await sql<Omit<ExpiredManifestRow, 'quarantine'>>`select repositories.name as repository,
      manifests.digest, repository_manifests.repository_id, repository_manifests.manifest_id
    from repositories join accounts on accounts.id = repositories.account_id
    join repository_manifests on repository_manifests.repository_id = repositories.id
    join manifests on manifests.id = repository_manifests.manifest_id
    where repositories.name like ${`${prefix}%`} escape '!' and repository_manifests.withdrawn_at is null
      and repositories.home_region = (select value from settings where key = 'region')
      and ${account === null ? sql`1 = 1` : sql`accounts.name = ${account}`}`.execute(db);
  const matches = globMatcher(glob);
  return rows
    .filter((row) => matches(row.repository))
    .slice(0, limit)
    .map(({ repository_id, manifest_id, ...row }) => ({
      ...row,
      repositoryId: Number(repository_id),
      manifestId: Number(manifest_id),
    }));
}

export interface RepositoryOfBlob {
  readonly id: number;
  readonly name: string;
  readonly account: string;
  /** The region that decides what is in service in it. */
  readonly home: string;
}

/** The repositories that have a blob, by a link or by a manifest in service. */
export async function repositoriesOfBlob(db: Reader, digest: string): Promise<RepositoryOfBlob[]> {
  const { rows } = await sql<RepositoryOfBlob>`select repositories.id, repositories.name,
      accounts.name as account, repositories.home_region as home
    from repositories join accounts on accounts.id = repositories.account_id
    where repositories.id in (select blob_links.repository_id from blob_links
        join blobs on blobs.id = blob_links.blob_id where blobs.digest = ${digest})
      or repositories.id in (select repository_manifests.repository_id from repository_manifests
        join edges on edges.manifest_id = repository_manifests.manifest_id
        where edges.digest = ${digest} and edges.kind in ('config', 'layer') and repository_manifests.withdrawn_at is null)`.execute(
    db,
  );
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}
