import { LazaretError } from '../../lib/errors.ts';
import type { Reader } from '../db/engine.ts';
import { regionGet, regionPrimary } from './regions.ts';

/**
 * A repository's home owns its content; every other region holds a replica, which is read-only. A repository that does
 * not exist yet will have its home in the primary region.
 */
async function homeOf(db: Reader, repository: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('repositories')
    .select('home_region')
    .where('name', '=', repository)
    .executeTakeFirst();
  return row?.home_region ?? (await regionPrimary(db));
}

/**
 * Asked before anything changes what `repository` holds: an upload, a manifest, a tag, a deletion. The refusal names
 * home's address and never redirects, since clients drop their credentials when the host changes.
 * @param region this one
 * @throws readOnlyReplica, with home's name and address in `detail`
 */
export async function assertHomeHere(db: Reader, region: string, repository: string): Promise<void> {
  const home = (await homeOf(db, repository)) ?? region;
  if (home === region) return;
  const url = (await regionGet(db, home))?.url;
  throw new LazaretError(
    'readOnlyReplica',
    `region ${region} holds a read-only replica of ${repository}; push to its home, region ${home}${url ? `: ${url}` : ''}`,
    { detail: { repository, region: home, ...(url ? { url } : {}) } },
  );
}

/** Those of these manifests that a repository holds whose home is `region`. */
export async function imagesWithHome(
  db: Reader,
  region: string,
  digests: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let at = 0; at < digests.length; at += digestsAtOnce) {
    const rows = await db
      .selectFrom('manifests')
      .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
      .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
      .select('manifests.digest')
      .distinct()
      .where('repositories.home_region', '=', region)
      .where('manifests.digest', 'in', digests.slice(at, at + digestsAtOnce))
      .execute();
    for (const row of rows) found.add(row.digest);
  }
  return found;
}

const digestsAtOnce = 1_000;
