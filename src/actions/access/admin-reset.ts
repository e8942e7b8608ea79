import { randomSecret } from '../../lib/random.ts';
import { accountEnsure } from '../../records/access/accounts.ts';
import type { RoleBinding } from '../../records/access/caller.ts';
import {
  bindingAdd,
  principalAdd,
  principalByName,
  principalEnableByName,
  principalExpirySet,
  principalSecretSet,
} from '../../records/access/principals.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { adminName, adminPasswordFile, writePrivate } from './first-start.ts';
import { passwordHash } from './secrets.ts';

const everything: RoleBinding = { role: 'admin', account: null, repositoryGlob: null };

/**
 * Makes the administrator what they were at the first start: there, enabled, admin over everything, with a fresh password
 * in `admin-password` of the data folder. Old passwords and tokens of theirs stop working. The file is written before the
 * row that accepts it, as at the first start: cut off in between, it is done again.
 * @returns the file
 */
export async function adminReset(deps: { readonly database: Database }, dataFolder: string): Promise<string> {
  const password = randomSecret();
  const secretHash = await passwordHash(password);
  const file = adminPasswordFile(dataFolder);
  await writePrivate(file, `${password}\n`);
  await deps.database.transact((tx) => restored(tx, secretHash));
  return file;
}

const actor = 'admin reset';

async function restored(tx: Tx, secretHash: string): Promise<void> {
  await accountEnsure(tx, 'default', actor);
  if (!(await principalByName(tx.db, adminName))) {
    const admin = {
      name: adminName,
      kind: 'user',
      account: null,
      secretHash,
      bindings: [everything],
    } as const;
    await principalAdd(tx, admin, actor);
    return;
  }
  await principalSecretSet(tx, adminName, secretHash, actor);
  await principalEnableByName(tx, adminName, actor);
  await principalExpirySet(tx, adminName, null, actor);
  await bindingAdd(tx, adminName, everything, actor);
}
