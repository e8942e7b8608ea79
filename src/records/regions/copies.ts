import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { jobEnqueue } from '../jobs/jobs.ts';

/**
 * Which blobs of other regions are to be copied here: those of repositories that the configuration names, and those that
 * a deployment in this region needs. Each is a job, whose key is the blob's digest; the bytes come later.
 */
export interface CopyPolicy {
  /** Globs over repositories whose blobs are copied as soon as they are known. */
  readonly repositories: readonly string[];
}

export const copyJob = 'copy';
const priorities = { repository: 0, deployment: 5, asked: 10 } as const;

export async function copyEnqueue(
  tx: Tx,
  digests: readonly string[],
  why: keyof typeof priorities,
): Promise<void> {
  for (const key of digests)
    await jobEnqueue(tx, { kind: copyJob, key, payload: {}, priority: priorities[why] });
}

/** After a manifest became known in `repository`. */
export async function copyForManifest(
  tx: Tx,
  manifest: { readonly repository: string; readonly digest: string },
  policy: CopyPolicy,
): Promise<void> {
  const why = (await neededByDeployment(tx, manifest.digest))
    ? 'deployment'
    : policy.repositories.some((glob) => globMatcher(glob)(manifest.repository))
      ? 'repository'
      : undefined;
  if (why) await copyEnqueue(tx, await remoteBlobsOf(tx.db, [manifest.digest]), why);
}

/** After a deployment to this region became known. */
export async function copyForDeployment(tx: Tx, manifestDigest: string): Promise<void> {
  await copyEnqueue(tx, await remoteBlobsOf(tx.db, await withChildren(tx.db, manifestDigest)), 'deployment');
}

interface Reopened {
  readonly digest: string | null;
  readonly diffId: string | null;
  readonly repositoryGlob: string | null;
}

/** After what kept blobs from being copied, these marks, has ended: those of the blobs that are wanted here. */
export async function copyReopened(tx: Tx, marks: readonly Reopened[], policy: CopyPolicy): Promise<void> {
  const globs = marks.map((mark) => mark.repositoryGlob).filter((glob) => glob !== null);
  const matchers = globs.map(globMatcher);
  const names = marks.flatMap((mark) => [mark.digest, mark.diffId]).filter((name) => name !== null);
  const rows = await tx.db
    .selectFrom('manifests')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .leftJoin('edges', 'edges.manifest_id', 'manifests.id')
    .select(['manifests.digest', 'repositories.name as repository'])
    .distinct()
    .where('repositories.home_region', '!=', tx.region)
    .$if(globs.length === 0, (query) =>
      query.where((e) =>
        e.or([
          e('manifests.digest', 'in', [...names, '']),
          e('edges.digest', 'in', [...names, '']),
          e('edges.diff_id', 'in', [...names, '']),
        ]),
      ),
    )
    .limit(limits.apiPageMax)
    .execute();
  for (const manifest of rows)
    if (globs.length === 0 || matchers.some((matches) => matches(manifest.repository)))
      await copyForManifest(tx, manifest, policy);
}

/** Where a blob may be had from: a region, and a repository that holds it there. */
export interface CopySource {
  readonly repository: string;
  readonly account: string;
  /** The region that is asked. */
  readonly home: string;
}

/** The homes of repositories of other regions; for a blob of this region's own ones, whoever may have a copy. */
export async function copySources(db: Reader, digest: string, region: string): Promise<CopySource[]> {
  const homes = await db
    .selectFrom('blobs')
    .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select([
      'repositories.name as repository',
      'accounts.name as account',
      'repositories.home_region as home',
    ])
    .where('blobs.digest', '=', digest)
    .where('repositories.home_region', '!=', region)
    .orderBy('repositories.id')
    .limit(limits.copySourcesMax)
    .execute();
  return homes.length > 0 ? homes : replicasOf(db, digest);
}

/** What was damaged here may still be whole in the regions that copied it. */
function replicasOf(db: Reader, digest: string): Promise<CopySource[]> {
  return db
    .selectFrom('blobs')
    .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .innerJoin('regions', (join) => join.on('regions.is_self', '=', 0))
    .select(['repositories.name as repository', 'accounts.name as account', 'regions.name as home'])
    .where('blobs.digest', '=', digest)
    .orderBy('repositories.id')
    .orderBy('regions.name')
    .limit(limits.copySourcesMax)
    .execute();
}

/** A blob that is here itself, in a repository that holds it: what a peer may copy. */
export function copyOffered(
  db: Reader,
  ask: { readonly digest: string; readonly repository: string },
): Promise<{ storageKey: string | null; sizeBytes: number; account: string } | undefined> {
  return db
    .selectFrom('blobs')
    .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['blobs.storage_key as storageKey', 'blobs.size_bytes as sizeBytes', 'accounts.name as account'])
    .where('blobs.digest', '=', ask.digest)
    .where('blobs.state', '=', 'live')
    .where('repositories.name', '=', ask.repository)
    .executeTakeFirst();
}

/** Whether a deployment that should run in this region names the manifest, or an index above it. */
async function neededByDeployment(tx: Tx, digest: string): Promise<boolean> {
  let level = [digest];
  for (let depth = 0; depth <= limits.indexDepthMax && level.length > 0; depth++) {
    const needed = await tx.db
      .selectFrom('deployments')
      .select('uid')
      .where('region', '=', tx.region)
      .where('desired', '=', 'running')
      .where('manifest_digest', 'in', level)
      .limit(1)
      .executeTakeFirst();
    if (needed) return true;
    const parents = await tx.db
      .selectFrom('edges')
      .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
      .select('manifests.digest')
      .distinct()
      .where('edges.digest', 'in', level)
      .where('edges.kind', '=', 'child')
      .execute();
    level = parents.map((parent) => parent.digest);
  }
  return false;
}

async function withChildren(db: Reader, digest: string): Promise<string[]> {
  const all = new Set([digest]);
  let level = [digest];
  for (let depth = 0; depth < limits.indexDepthMax && level.length > 0; depth++) {
    const children = await db
      .selectFrom('edges')
      .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
      .select('edges.digest')
      .where('manifests.digest', 'in', level)
      .where('edges.kind', '=', 'child')
      .execute();
    level = children.map((child) => child.digest).filter((child) => !all.has(child));
    for (const child of level) all.add(child);
  }
  return [...all];
}

async function remoteBlobsOf(db: Reader, manifestDigests: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('blobs')
    .innerJoin('edges', (join) =>
      join.on((e) =>
        e.or([
          e('edges.digest', '=', e.ref('blobs.digest')),
          e('edges.digest', '=', e.ref('blobs.digest_sha512')),
        ]),
      ),
    )
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select('blobs.digest')
    .distinct()
    .where('manifests.digest', 'in', [...manifestDigests])
    .where('edges.kind', 'in', ['config', 'layer'])
    .where('blobs.state', '=', 'remote')
    .execute();
  return rows.map((row) => row.digest);
}
