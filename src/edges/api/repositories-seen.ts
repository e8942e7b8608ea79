import { globMatcher } from '../../lib/globs.ts';
import type { Caller } from '../../records/access/caller.ts';
import { grantList } from '../../records/access/grants.ts';
import { permits } from '../../records/access/permits.ts';
import type { Database } from '../../records/db/database.ts';
import { type RepositoryOfAccount, repositoriesAll } from '../../records/inventory/image-list.ts';

/** The repositories that the caller may pull from, by a role or because it was granted, sorted by name. */
export async function repositoriesSeen(database: Database, caller: Caller): Promise<RepositoryOfAccount[]> {
  return (await repositoriesAll(database)).filter(await seenBy(database, caller));
}

/** Whether the caller may pull from a repository. */
export async function seenBy(
  database: Database,
  caller: Caller,
): Promise<(repository: RepositoryOfAccount) => boolean> {
  const grants = caller.account === null ? [] : await grantList(database.read, caller.account);
  const granted = grants
    .filter(({ grantee, revokedAt }) => grantee === caller.account && revokedAt === null)
    .map(({ owner, repositoryGlob }) => ({ owner, matches: globMatcher(repositoryGlob) }));
  return ({ name, account }) =>
    permits(caller, 'pull', { repository: name, account }) ||
    granted.some(({ owner, matches }) => owner === account && matches(name));
}
