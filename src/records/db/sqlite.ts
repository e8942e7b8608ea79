import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Kysely, type SqliteDatabase } from 'kysely';
import { shared } from '../../lib/shared.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { openEpoch } from './epoch.ts';
import { migrate } from './migrate.ts';
import { refusesWrites } from './read-only.ts';
import { SteadyDialect } from './sqlite-dialect.ts';
import { SqliteLog } from './sqlite-log.ts';
import { SqliteSearcher } from './sqlite-searcher.ts';
import { withKeptStatements } from './sqlite-statements.ts';
import { NotSeenEarly, SqliteWriter } from './sqlite-writer.ts';
import type { Tables } from './tables.ts';
import { beginTransaction } from './transaction.ts';

/**
 * SQLite inside the process. Exactly one connection writes (better-sqlite3 waits synchronously, so a second writer would
 * freeze the server as long as the first one's transaction); `SqliteWriter` queues transactions on it. Every other
 * connection is read-only; long searches run on one in a worker thread. Another process writes only for a moment
 * (`lazaret admin reset`), and is waited for: see `lockingAtOnce`.
 */
export async function openSqlite(file: string, options: DatabaseOptions): Promise<Database> {
  mkdirSync(dirname(file), { recursive: true });
  const writerConnection = new BetterSqlite3(file);
  const hasLog = writerConnection.pragma('journal_mode = WAL', { simple: true }) === 'wal';
  writerConnection.pragma('synchronous = FULL');
  writerConnection.pragma('foreign_keys = ON');
  writerConnection.pragma('cache_size = -16000');
  // Bringing the log into the file holds everybody up: 16 MB of it at once, in which most pages come many times.
  writerConnection.pragma('wal_autocheckpoint = 2000');
  // A migration changes what a statement means: none of its own is kept.
  await migrate(kyselyOf(writerConnection), 'sqlite');
  const writer = kyselyOf(lockingAtOnce(writerConnection, withKeptStatements(writerConnection)));
  const epoch = await openEpoch(writer, options.region);
  const log = new SqliteLog(file);
  const transactions = new SqliteWriter(writer, {
    inTransaction: () => writerConnection.inTransaction,
    waitForDisk: (waits) => writerConnection.pragma(`synchronous = ${waits ? 'FULL' : 'NORMAL'}`),
    flush: () => log.flush(),
  });

  const reading = openReading(file);
  const listeners = new Set<() => void>();

  return {
    ...reading,
    nowMs: () => options.clock.wallMs(),
    onDisk: () => transactions.flushed(),
    transact: async (work, { mayBeLost = false, seenEarly = false } = {}) => {
      let wake = false;
      const early = seenEarly && hasLog && !options.othersRead;
      const flush = mayBeLost ? 'never' : early ? 'after' : 'within';
      const value = await transactions.transact(flush, async (db, flushes) => {
        log.assertSound();
        const open = beginTransaction(db, {
          engine: 'sqlite',
          epoch,
          region: options.region,
          clock: options.clock,
          mayBeLost,
        });
        const result = await work(open.tx);
        if (open.emits() && flushes !== 'within') throw new NotSeenEarly();
        wake = await open.finish();
        return result;
      });
      if (wake) for (const listener of listeners) listener();
      return value;
    },
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      await reading.close();
      await writer.destroy(); // the last one: it brings the log into the file, and removes it
      await log.close();
    },
  };
}

/** For a process beside the one that writes, which must have opened it. Each of its reads sees all commits before it. */
export function openSqliteReader(
  file: string,
  { onCommit, clock }: DatabaseOptions & Pick<Database, 'onCommit'>,
): Database {
  return {
    ...openReading(file),
    ...refusesWrites,
    nowMs: () => clock.wallMs(),
    onDisk: () => Promise.resolve(),
    onCommit,
  };
}

function openReading(file: string): Pick<Database, 'engine' | 'read' | 'logHead' | 'search' | 'close'> {
  const connection = new BetterSqlite3(file, { readonly: true });
  connection.pragma('cache_size = -16000');
  const read = kyselyOf(withKeptStatements(connection));
  const head = connection.prepare<[], number>('select coalesce(max(position), 0) from log').pluck();
  const searcher = new SqliteSearcher(file);
  return {
    engine: 'sqlite',
    read,
    logHead: shared(async () => head.get() ?? 0),
    search: (query, signal) => searcher.run(query, signal),
    close: async () => {
      await searcher.close();
      await read.destroy();
      connection.close(); // Kysely closes only what was used
    },
  };
}

function kyselyOf(database: SqliteDatabase): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new SteadyDialect({ database }) });
}

/**
 * A transaction takes the write lock when it begins. One that has read first would fail, not wait, when another process
 * wrote in between. After a full disk SQLite itself has rolled back, and a second time would hide why.
 */
function lockingAtOnce(connection: BetterSqlite3.Database, database: SqliteDatabase): SqliteDatabase {
  const instead = (sql: string) => {
    if (sql === 'begin') return 'begin immediate';
    return sql === 'rollback' && !connection.inTransaction ? 'select 1 limit 0' : sql;
  };
  return { close: () => database.close(), prepare: (sql) => database.prepare(instead(sql)) };
}
