import { signingKeyRotated } from '../../actions/access/signing-keys.ts';
import { assertPrimary } from '../../actions/launch/primary.ts';
import { accountChange, accountCreate, accountList, whoami } from '../../contract/access.ts';
import { signingKeyListRoute, signingKeyRotate } from '../../contract/signing-keys.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { accountAdd, accountOpenSet, accountQuotaSet, accountRows } from '../../records/access/accounts.ts';
import { signingKeyList } from '../../records/access/signing-keys.ts';
import type { Database } from '../../records/db/database.ts';
import { assertAdministers } from './administered.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface AccessDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly region: string;
}

export function accessRoutes(deps: AccessDeps): BoundRoute[] {
  const { database, region } = deps;
  return [
    bind(whoami, ({ caller }) => ({ ...caller, bindings: [...caller.bindings] })),
    bind(accountList, async () => ({ accounts: await accountRows(database.read) })),
    bind(accountCreate, async ({ body, caller }) => {
      await assertPrimary(database.read, region, 'accounts');
      return database.transact((tx) => accountAdd(tx, body.name, caller.principal));
    }),
    bind(accountChange, async ({ params, body, caller }) => {
      assertAdministers(caller, params.name);
      await assertPrimary(database.read, region, 'accounts');
      const { anonymousPull, quotaBytes } = body;
      if (quotaBytes !== undefined) assertAdministers(caller, null);
      if (anonymousPull !== undefined)
        await database.transact((tx) => accountOpenSet(tx, params.name, anonymousPull, caller.principal));
      if (quotaBytes !== undefined)
        await database.transact((tx) => accountQuotaSet(tx, params.name, quotaBytes, caller.principal));
      return accountNamed(database, params.name);
    }),
    bind(signingKeyListRoute, async () => ({ keys: await signingKeyList(database.read) })),
    bind(signingKeyRotate, ({ body }) => signingKeyRotated(deps, body.revoke === true)),
  ];
}

async function accountNamed(database: Database, name: string) {
  const account = (await accountRows(database.read)).find((one) => one.name === name);
  if (account) return account;
  throw new LazaretError('notFound', `there is no account '${name}'`);
}
