import { existsSync } from 'node:fs';
import { adminReset } from '../actions/access/admin-reset.ts';
import { systemClock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';
import { openDatabase } from '../records/db/drivers.ts';
import type { Config } from './config/config.ts';

/**
 * Renews the administrator's password in the database itself, so that no password is needed but access to the data
 * folder. A server that runs meanwhile reads who may log in at each request, so it need not be told; on SQLite this is
 * one short transaction beside its own.
 * @returns the file of the new password
 * @throws configInvalid if nothing was ever started here; readOnlyReplica in a region that is not the primary; conflict
 *   if the database is of another region
 */
export async function resetAdmin(config: Config): Promise<string> {
  const { database: where, dataFolder, region, primary } = config;
  if (region !== primary)
    throw new LazaretError(
      'readOnlyReplica',
      `users are of region ${primary}: reset the administrator there`,
    );
  if (!existsSync(dataFolder) || (where.kind === 'sqlite' && !existsSync(where.file)))
    throw new LazaretError('configInvalid', `no server was ever started with the data folder ${dataFolder}`, {
      detail: { path: 'data' },
    });
  const database = await openDatabase(where, { region, clock: systemClock });
  try {
    return await adminReset({ database }, dataFolder);
  } finally {
    await database.close();
  }
}
