import { accountsOf } from '../../actions/launch/permission.ts';
import { assertPrimary } from '../../actions/launch/primary.ts';
import { grantCreate, grantDelete, grantListRoute } from '../../contract/grants.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import type { Caller } from '../../records/access/caller.ts';
import { type GrantTerms, grantList, grantRevoke, grantSet } from '../../records/access/grants.ts';
import { permits } from '../../records/access/permits.ts';
import type { Database } from '../../records/db/database.ts';
import { accountOfGlob } from './account-of-glob.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface GrantDeps {
  readonly database: Database;
  readonly region: string;
}

export function grantRoutes({ database, region }: GrantDeps): BoundRoute[] {
  return [
    bind(grantCreate, async ({ caller, body }) => {
      await assertPrimary(database.read, region);
      const terms = termsOf(caller, body);
      return database.transact((tx) => grantSet(tx, terms, caller.principal));
    }),
    bind(grantDelete, async ({ caller, body }) => {
      await assertPrimary(database.read, region);
      const terms = termsOf(caller, body);
      return database.transact((tx) => grantRevoke(tx, terms, caller.principal));
    }),
    bind(grantListRoute, async ({ caller, query }) => {
      const accounts = accountsOf(caller);
      const grants = (await grantList(database.read, null)).filter(
        ({ owner, grantee, revokedAt }) =>
          (query.all || revokedAt === null) &&
          (accounts === undefined || accounts.includes(owner) || accounts.includes(grantee)),
      );
      return { grants };
    }),
  ];
}

/** The owner is the account that the glob begins with. @throws invalid, denied */
function termsOf(caller: Caller, body: Pick<GrantTerms, 'grantee' | 'repositoryGlob'>): GrantTerms {
  const { grantee, repositoryGlob } = body;
  const owner = accountOfGlob(repositoryGlob);
  if (owner === undefined)
    throw new LazaretError(
      'invalid',
      `repositoryGlob: '${repositoryGlob}' must begin with one account's name`,
      {
        detail: { path: 'body.repositoryGlob' },
      },
    );
  globMatcher(repositoryGlob); // refuses what is no glob
  if (!permits(caller, 'grant', { account: owner, repository: null }))
    throw new LazaretError('denied', `only a maintainer of ${owner} may do this`, {
      detail: { account: owner, role: 'maintainer' },
    });
  return { owner, grantee, repositoryGlob };
}
