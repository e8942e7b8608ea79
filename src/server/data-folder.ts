import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { LazaretError } from '../lib/errors.ts';

/**
 * Makes the data folder and takes it for this process. The lock is an exclusive transaction on a database of its own, so
 * the kernel frees it however the process ends.
 * @returns what frees it
 * @throws dataFolderInUse; configInvalid if the folder can't be made
 */
export function takeDataFolder(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = new BetterSqlite3(join(folder, 'server.lock'), { timeout: 0 });
    try {
      lock.exec('begin exclusive');
    } catch (error) {
      lock.close();
      throw error;
    }
    return () => void lock.close();
  } catch (cause) {
    if (cause instanceof BetterSqlite3.SqliteError && cause.code === 'SQLITE_BUSY')
      throw new LazaretError('dataFolderInUse', `another server uses the data folder ${folder}`, { cause });
    throw new LazaretError('configInvalid', `the data folder ${folder} can't be used`, {
      detail: { path: 'data' },
      cause,
    });
  }
}
