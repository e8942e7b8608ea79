import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { randomKey } from '../../lib/random.ts';
import type { DatabaseOptions, Tx } from './database.ts';
import type { DatabaseCopy } from './database-copy.ts';
import { openSqlite } from './sqlite.ts';
import type { Tables } from './tables.ts';

/** All pages in one step: in small ones a busy server would make the backup begin anew again and again. */
const pagesAtOnce = 2 ** 31 - 1;

const sideFiles = ['', '-wal', '-shm', '-journal'] as const;

/** Its own connection reads; the server's one writer is not held up. */
export async function sqliteCopy(source: string, file: string): Promise<DatabaseCopy> {
  const from = openExisting(source);
  try {
    await from.backup(file, { progress: () => pagesAtOnce });
  } finally {
    from.close();
  }
  const copy = new BetterSqlite3(file);
  copy.pragma('journal_mode = DELETE'); // one file, without a log beside it
  copy.close();
  await flush(file);
  const connection = new BetterSqlite3(file, { readonly: true });
  const read = new Kysely<Tables>({ dialect: new SqliteDialect({ database: connection }) });
  return { read, close: () => read.destroy() };
}

export async function sqliteEmpty(file: string): Promise<boolean> {
  // A log without its file would be taken for the new file's.
  return sideFiles.every((suffix) => !existsSync(file + suffix));
}

/** It becomes the database by its name, at the end: a restore that was cut off leaves none. */
export async function sqliteRestore<T>(
  files: { readonly target: string; readonly copy: string },
  options: DatabaseOptions,
  settle: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { target, copy } = files;
  const draft = `${target}.restoring`;
  await mkdir(dirname(target), { recursive: true });
  await removeDraft(draft);
  try {
    await copyFile(copy, draft);
    renewEpoch(draft);
    const database = await openSqlite(draft, options);
    const settled = await database.transact(settle).finally(() => database.close());
    assert(!existsSync(`${draft}-wal`), 'everything is in the file once its last connection is closed');
    await flush(draft);
    await rename(draft, target);
    await flush(dirname(target));
    return settled;
  } catch (error) {
    await removeDraft(draft);
    throw error;
  }
}

/** Before it is opened: whatever is appended from then on is of the new epoch. */
function renewEpoch(file: string): void {
  const database = new BetterSqlite3(file);
  database.prepare(`update settings set value = ? where key = 'epoch'`).run(randomKey().slice(0, 8));
  database.close();
}

async function removeDraft(draft: string): Promise<void> {
  for (const suffix of sideFiles) await rm(draft + suffix, { force: true });
}

function openExisting(file: string): BetterSqlite3.Database {
  try {
    return new BetterSqlite3(file, { readonly: true, fileMustExist: true });
  } catch (cause) {
    throw new LazaretError('unavailable', `there is no database ${file}`, { cause });
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
