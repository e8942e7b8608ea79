import { principalCreated } from '../../actions/access/create-principal.ts';
import {
  accountCreate,
  accountList,
  principalCreate,
  principalDisable,
  roleBind,
  whoami,
} from '../../contract/access.ts';
import { accountAdd, accountRows } from '../../records/access/accounts.ts';
import { bindingAdd, principalDisableByName } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface AccessDeps {
  readonly database: Database;
}

export function accessRoutes({ database }: AccessDeps): BoundRoute[] {
  return [
    bind(whoami, ({ caller }) => ({ ...caller, bindings: [...caller.bindings] })),
    bind(accountList, async () => ({ accounts: await accountRows(database.read) })),
    bind(accountCreate, ({ body, caller }) =>
      database.transact((tx) => accountAdd(tx, body.name, caller.principal)),
    ),
    bind(principalCreate, ({ body, caller }) => principalCreated({ database }, body, caller.principal)),
    bind(principalDisable, async ({ params, caller }) => {
      await database.transact((tx) => principalDisableByName(tx, params.name, caller.principal));
      return {};
    }),
    bind(roleBind, async ({ params, body, caller }) => {
      await database.transact((tx) => bindingAdd(tx, params.name, body, caller.principal));
      return {};
    }),
  ];
}
