import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../../test/support/postgres.ts';
import { withKeptStatements } from './postgres-statements.ts';

describe('kept statements of PostgreSQL', () => {
  let drop: () => Promise<void>;
  let pool: pg.Pool;
  let db: Kysely<unknown>;
  beforeEach(async () => {
    const database = await freshDatabase();
    drop = database.drop;
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    // The pool has ended before its connection is closed, which the end of the database then cuts.
    pool.on('error', () => {});
    db = new Kysely({ dialect: new PostgresDialect({ pool: withKeptStatements(pool) }) });
    await sql`create table t (n integer)`.execute(db);
    await sql`insert into t values (1), (2), (3)`.execute(db);
  });
  afterEach(async () => {
    await db.destroy();
    await drop();
  });

  const from = async (n: number, other = 0) =>
    (await sql<{ n: number }>`select * from t where n >= ${n} and n != ${sql.lit(-other)}`.execute(db)).rows;

  /** Past what is tested: the pool has one connection. */
  async function prepared(): Promise<string[]> {
    const { rows } = await pool.query<{ statement: string }>('select statement from pg_prepared_statements');
    return rows.map(({ statement }) => statement);
  }

  it('are those that come again, and take other parameters each time', async () => {
    expect(await from(2)).toHaveLength(2);
    expect(await prepared()).toEqual([]);
    expect(await from(3)).toHaveLength(1);
    expect(await from(1)).toHaveLength(3);
    expect(await prepared()).toHaveLength(1);
  });

  it('go when they were unused for longest', async () => {
    for (let other = 1; other <= 300; other++) {
      await from(1, other);
      await from(2, other);
      await from(3);
    }
    await from(3);
    const kept = await prepared();
    expect(kept.length).toBeLessThanOrEqual(251);
    expect(kept.filter((text) => text.endsWith('!= 0'))).toHaveLength(1);
    expect(kept.filter((text) => text.endsWith('!= -1'))).toHaveLength(0);
    expect(await from(2, 1)).toHaveLength(2);
  });

  it('are prepared anew when a table has other columns than before', async () => {
    for (const n of [1, 2, 3]) await from(n);
    await sql`alter table t add column m integer`.execute(db);
    expect(await from(3)).toEqual([{ n: 3, m: null }]);
    expect(await from(3)).toEqual([{ n: 3, m: null }]);
  });

  it('leave a transaction to whoever runs it again, when a table has other columns than before', async () => {
    for (const n of [1, 2, 3]) await from(n);
    await sql`alter table t add column m integer`.execute(db);
    const asked = () =>
      db.transaction().execute((tx) => sql`select * from t where n >= ${3} and n != 0`.execute(tx));
    await expect(asked()).rejects.toMatchObject({ code: '0A000' });
    expect((await asked()).rows).toEqual([{ n: 3, m: null }]);
  });
});
