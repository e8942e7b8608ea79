import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { LazaretError } from '../lib/errors.ts';

/**
 * Who uses a data folder, told by locks of SQLite on empty databases, which the kernel frees however a process ends.
 * `server.lock` is taken by the one process that writes, `readers.lock` shared by those beside it (server/processes). A
 * new server needs both: readers whose parent was killed end at once, and are waited for.
 */
const readersEndMs = 5_000;

/**
 * Makes the data folder and takes it for this process.
 * @param waitMs for readers whose parent has ended
 * @returns what frees it
 * @throws dataFolderInUse; configInvalid if the folder can't be made
 */
export function takeDataFolder(folder: string, waitMs = readersEndMs): () => void {
  return locking(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const free = locked(folder, 'server', 'begin exclusive', 0);
    try {
      if (existsSync(lockFile(folder, 'readers'))) locked(folder, 'readers', 'begin exclusive', waitMs)();
      return free;
    } catch (error) {
      free();
      throw error;
    }
  });
}

/** For a process that reads beside the one that has taken it. @returns what frees it. @throws as `takeDataFolder` */
export function shareDataFolder(folder: string): () => void {
  return locking(folder, () => locked(folder, 'readers', 'begin; select 1 from sqlite_schema', readersEndMs));
}

type Lock = 'server' | 'readers';

function lockFile(folder: string, name: Lock): string {
  return join(folder, `${name}.lock`);
}

const users = {
  server: 'another server uses',
  readers: 'reading processes of a server that has ended still use',
} as const;

function locked(folder: string, name: Lock, how: string, waitMs: number): () => void {
  const lock = new BetterSqlite3(lockFile(folder, name), { timeout: waitMs });
  try {
    lock.exec(how);
  } catch (error) {
    lock.close();
    if (error instanceof BetterSqlite3.SqliteError && error.code === 'SQLITE_BUSY')
      throw new LazaretError('dataFolderInUse', `${users[name]} the data folder ${folder}`, { cause: error });
    throw error;
  }
  return () => void lock.close();
}

function locking<T>(folder: string, take: () => T): T {
  try {
    return take();
  } catch (cause) {
    if (cause instanceof LazaretError) throw cause;
    throw new LazaretError('configInvalid', `the data folder ${folder} can't be used`, {
      detail: { path: 'data' },
      cause,
    });
  }
}
