import type { Authenticator } from '../../actions/access/authenticate.ts';
import { passwordChosen, secretRenewed } from '../../actions/access/change-secret.ts';
import { principalCreated } from '../../actions/access/create-principal.ts';
import { assertPrimary } from '../../actions/launch/primary.ts';
import {
  principalCreate,
  principalDisable,
  principalEnable,
  principalList,
  principalRemove,
  principalSecret,
  roleBind,
  roleUnbind,
} from '../../contract/principals.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import {
  bindingAdd,
  bindingRemove,
  type ListedPrincipal,
  principalDisableByName,
  principalEnableByName,
  principalRemove as principalRowRemove,
  principalList as principalRows,
} from '../../records/access/principals.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { accountsAdministered, administered, assertAdministers, assertMayGive } from './administered.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface PrincipalDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly region: string;
  readonly authenticator: Authenticator;
}

export function principalRoutes(deps: PrincipalDeps): BoundRoute[] {
  const { database, clock } = deps;
  /** Does it to somebody whom the caller administers. */
  const changed = async (
    caller: Caller,
    name: string,
    change: (tx: Tx, principal: ListedPrincipal) => Promise<void>,
  ) => {
    const principal = await administered(database.read, caller, name);
    await assertPrimary(database.read, deps.region, 'users and robots');
    await database.transact((tx) => change(tx, principal));
    return {};
  };
  return [
    bind(principalList, async ({ query, caller }) => ({
      principals: await listed(database, caller, query.account),
    })),
    bind(principalCreate, async ({ body, caller }) => {
      // Users' names are of everybody; so an account's admin makes robots, whose names are the account's own.
      assertAdministers(caller, body.kind === 'user' ? null : body.account);
      assertMayGive(caller, body.bindings);
      await assertPrimary(database.read, deps.region, 'users and robots');
      const { expires, ...request } = body;
      const expiresAt = expires === undefined ? null : expiryOf(clock, expires);
      return principalCreated({ database }, { ...request, expiresAt }, caller.principal);
    }),
    bind(principalRemove, ({ params: { name }, caller }) =>
      changed(caller, name, (tx) => principalRowRemove(tx, name, caller.principal)),
    ),
    bind(principalDisable, ({ params: { name }, caller }) =>
      changed(caller, name, (tx) => principalDisableByName(tx, name, caller.principal)),
    ),
    bind(principalEnable, ({ params: { name }, caller }) =>
      changed(caller, name, (tx) => principalEnableByName(tx, name, caller.principal)),
    ),
    bind(principalSecret, ({ params, body, caller }) =>
      params.name === caller.principal
        ? ownPassword(deps, caller, body)
        : otherSecret(deps, caller, { ...params, ...body }),
    ),
    bind(roleBind, ({ params: { name }, body, caller }) => {
      assertMayGive(caller, [body]);
      return changed(caller, name, (tx) => bindingAdd(tx, name, body, caller.principal));
    }),
    bind(roleUnbind, ({ params: { name }, body, caller }) => {
      assertMayGive(caller, [body]);
      return changed(caller, name, (tx) => bindingRemove(tx, name, body, caller.principal));
    }),
  ];
}

async function listed(database: Database, caller: Caller, account: string | undefined) {
  if (account !== undefined) assertAdministers(caller, account);
  const accounts = account === undefined ? accountsAdministered(caller) : [account];
  if (accounts.length === 0) assertAdministers(caller, null);
  const rows = await principalRows(database.read, null);
  const seen = rows.filter((row) => accounts.includes(null) || accounts.includes(row.account));
  return seen.map((row) => ({ ...row, bindings: [...row.bindings] }));
}

/** `never`, or so long from now. @throws invalid */
function expiryOf(clock: Clock, expires: string): number | null {
  return expires === 'never' ? null : clock.wallMs() + parseDuration(expires, 'body.expires');
}

/** Who has only a token, which may have been taken from them, does not change the password. */
async function ownPassword(
  deps: PrincipalDeps,
  caller: Caller,
  { password, current = '' }: { readonly password?: string; readonly current?: string },
) {
  const name = caller.principal;
  if (caller.kind !== 'user' || password === undefined)
    throw new LazaretError('invalid', 'give the new password, and the current one', {
      detail: { path: 'body.password' },
    });
  await assertPrimary(deps.database.read, deps.region, 'passwords');
  const pair = Buffer.from(`${name}:${current}`).toString('base64');
  await deps.authenticator.authenticate(`Basic ${pair}`, 'change of password');
  await passwordChosen(deps, name, password);
  return { name, secret: null, expiresAt: null };
}

async function otherSecret(
  deps: PrincipalDeps,
  caller: Caller,
  {
    name,
    password,
    expires,
  }: { readonly name: string; readonly password?: string; readonly expires?: string },
) {
  await administered(deps.database.read, caller, name);
  if (password !== undefined)
    throw new LazaretError('invalid', 'a password is chosen by its owner; for others one is made', {
      detail: { path: 'body.password' },
    });
  await assertPrimary(deps.database.read, deps.region, 'users and robots');
  const expiresAt = expires === undefined ? undefined : expiryOf(deps.clock, expires);
  return { name, ...(await secretRenewed(deps, { name, expiresAt }, caller.principal)) };
}
