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

/** Page by page, since some stay: another quarantine keeps them. */
export async function* expiredManifests(
  db: Reader,
  nowMs: number,
  pageRows: number,
): AsyncGenerator<ExpiredManifest> {
  yield* paged(pageRows, async (after) => {
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
      and ${isAfter(after)}
    order by repository_manifests.repository_id, repository_manifests.manifest_id limit ${pageRows}`.execute(
        db,
      );
    return rows.map(manifestOf);
  });
}

interface ExpiredManifestRow {
  readonly quarantine: string;
  readonly repository: string;
  readonly digest: string;
  readonly repository_id: number;
  readonly manifest_id: number;
}

function manifestOf({ repository_id, manifest_id, ...row }: ExpiredManifestRow): ExpiredManifest {
  return { ...row, repositoryId: Number(repository_id), manifestId: Number(manifest_id) };
}

/** The manifests in service of the repositories that a mark names by glob, whose retention has ended. */
export async function* expiredInRepositories(
  db: Reader,
  nowMs: number,
  pageRows: number,
): AsyncGenerator<ExpiredManifest> {
  const expired = await db
    .selectFrom('quarantines')
    .innerJoin('marks', 'marks.quarantine_id', 'quarantines.id')
    .select(['quarantines.name', 'quarantines.scope_account', 'marks.repository_glob'])
    .where('marks.target', '=', 'repository')
    .where('quarantines.released_at', 'is', null)
    .where('quarantines.legal_hold', '=', 0)
    .where('quarantines.retain_until', '<=', nowMs)
    .execute();
  for (const { name, scope_account: account, repository_glob: glob } of expired)
    if (glob !== null) yield* manifestsInGlob(db, { quarantine: name, glob, account, pageRows });
}

async function* manifestsInGlob(
  db: Reader,
  of: { quarantine: string; glob: string; account: string | null; pageRows: number },
): AsyncGenerator<ExpiredManifest> {
  const { quarantine, glob, account, pageRows } = of;
  const prefix = globPrefix(glob).replace(/[!%_]/g, '!$&');
  const matches = globMatcher(glob);
  const inPrefix = paged(pageRows, async (after) => {
    const { rows } =
      await sql<ExpiredManifestRow>`select ${quarantine} as quarantine, repositories.name as repository,
      manifests.digest, repository_manifests.repository_id, repository_manifests.manifest_id
    from repositories join accounts on accounts.id = repositories.account_id
    join repository_manifests on repository_manifests.repository_id = repositories.id
    join manifests on manifests.id = repository_manifests.manifest_id
    where repositories.name like ${`${prefix}%`} escape '!' and repository_manifests.withdrawn_at is null
      and repositories.home_region = (select value from settings where key = 'region')
      and ${account === null ? sql`1 = 1` : sql`accounts.name = ${account}`} and ${isAfter(after)}
    order by repository_manifests.repository_id, repository_manifests.manifest_id limit ${pageRows}`.execute(
        db,
      );
    return rows.map(manifestOf);
  });
  for await (const manifest of inPrefix) if (matches(manifest.repository)) yield manifest;
}

type Place = Pick<ExpiredManifest, 'repositoryId' | 'manifestId'>;

function isAfter({ repositoryId, manifestId }: Place) {
  return sql`(repository_manifests.repository_id, repository_manifests.manifest_id) > (cast(${repositoryId} as bigint), cast(${manifestId} as bigint))`;
}

async function* paged(
  pageRows: number,
  read: (after: Place) => Promise<ExpiredManifest[]>,
): AsyncGenerator<ExpiredManifest> {
  for (let after: Place | undefined = { repositoryId: 0, manifestId: 0 }; after; ) {
    const page: ExpiredManifest[] = await read(after);
    yield* page;
    after = page.length < pageRows ? undefined : page.at(-1);
  }
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
