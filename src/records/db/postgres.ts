import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { LazaretError } from '../../lib/errors.ts';
import { shared } from '../../lib/shared.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { openEpoch } from './epoch.ts';
import { migrate } from './migrate.ts';
import { withKeptStatements } from './postgres-statements.ts';
import type { Tables } from './tables.ts';
import { beginTransaction } from './transaction.ts';

const channel = 'lazaret_commit';
/**
 * For the planner; what the address says of its own comes first. A page by its place costs little more than the next one: the
 * disks have no arms, and most pages are in memory. Else all rows of a table are read where some hundred are asked for. And no
 * question is worth compiling.
 */
const settings = '-c random_page_cost=1.1 -c jit=off -c parallel_setup_cost=100000';
const retriesMax = 5;
/** Named: each connection prepares it once. */
const headQuery = { name: 'log-head', text: 'select max(position) as head from log' };
/** Serialization failure, deadlock, a statement that was outdated: the transaction did nothing and may be run again. */
const retryable = new Set(['40001', '40P01', '0A000']);

/** PostgreSQL, for several server processes per region; every read is of the primary. */
export async function openPostgres(url: string, options: DatabaseOptions): Promise<Database> {
  const types = { getTypeParser: typeParser };
  const pool = new pg.Pool({ connectionString: url, max: 10, types, options: settings });
  pool.on('error', (cause) =>
    options.onError?.(new LazaretError('unavailable', 'a database connection broke', { cause })),
  );
  const read = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: withKeptStatements(pool) }) });
  await migrate(read, 'postgres');
  const epoch = await openEpoch(read, options.region);
  const listeners = new Set<() => void>();
  const notifications = new pg.Client({ connectionString: url });
  notifications.on('error', (cause) =>
    options.onError?.(new LazaretError('unavailable', 'notifications broke', { cause })),
  );
  await notifications.connect();
  notifications.on('notification', () => {
    for (const listener of listeners) listener();
  });
  await notifications.query(`listen ${channel}`);

  return {
    engine: 'postgres',
    read,
    nowMs: () => options.clock.wallMs(),
    logHead: shared(async () => Number((await pool.query(headQuery)).rows[0]?.head ?? 0)),
    transact: (work, { mayBeLost = false } = {}) =>
      retried(() =>
        read.transaction().execute(async (db) => {
          const open = beginTransaction(db, {
            engine: 'postgres',
            epoch,
            region: options.region,
            clock: options.clock,
            mayBeLost,
          });
          if (mayBeLost) await sql`set local synchronous_commit = off`.execute(db);
          const result = await work(open.tx);
          // NOTIFY is delivered at commit, to this process too.
          if (await open.finish())
            await db.selectNoFrom((e) => e.fn('pg_notify', [e.val(channel), e.val('')]).as('n')).execute();
          return result;
        }),
      ),
    onDisk: () => Promise.resolve(),
    search: async (query) => (await read.executeQuery(query)).rows,
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      await notifications.end();
      await read.destroy();
    },
  };
}

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const again =
        error instanceof pg.DatabaseError && retryable.has(error.code ?? '') && attempt < retriesMax;
      if (!again) throw error;
    }
  }
}

/** int8 and numeric as numbers: keys, sizes and times stay below 2^53. */
const numberTypes = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);

export function typeParser(oid: number, format?: 'text' | 'binary') {
  if (numberTypes.has(oid) && format !== 'binary') return Number;
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}
