import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { randomSecret } from '../../lib/random.ts';
import { accountEnsure } from '../../records/access/accounts.ts';
import { principalAdd, principalByName } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { passwordHash } from './secrets.ts';

export const adminName = 'admin';

export function adminPasswordFile(dataFolder: string): string {
  return join(dataFolder, 'admin-password');
}

/**
 * Makes account `default` and the administrator, once. The password is in a file before the row that accepts it is
 * written: a crash in between leaves a password that nothing accepts, which the next start replaces.
 * @returns whether this was the first start
 */
export async function firstStart(
  deps: { readonly database: Database },
  dataFolder: string,
): Promise<boolean> {
  if (await principalByName(deps.database.read, adminName)) return false;
  const password = randomSecret();
  await writePrivate(adminPasswordFile(dataFolder), `${password}\n`);
  const secretHash = await passwordHash(password);
  await deps.database.transact(async (tx) => {
    await accountEnsure(tx, 'default', adminName);
    const everything = { role: 'admin' as const, account: null, repositoryGlob: null };
    await principalAdd(
      tx,
      { name: adminName, kind: 'user', account: null, secretHash, bindings: [everything] },
      adminName,
    );
  });
  return true;
}

/** Readable by its owner only, and on the disk when this resolves. */
export async function writePrivate(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  await handle.chmod(0o600); // the file may have been there with other rights
  await handle.writeFile(text);
  await handle.sync();
}
