import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withKeptStatements } from './sqlite-statements.ts';

describe('kept statements', () => {
  let connection: BetterSqlite3.Database;
  let prepared: string[];
  beforeEach(() => {
    connection = new BetterSqlite3(':memory:');
    connection.exec('create table t (n integer)');
    prepared = [];
    const prepare = connection.prepare.bind(connection);
    connection.prepare = (sql: string) => {
      prepared.push(sql);
      return prepare(sql);
    };
  });
  afterEach(() => connection.close());

  it('are prepared once, and take new parameters each time', () => {
    const database = withKeptStatements(connection);
    for (const n of [1, 2, 3]) database.prepare('insert into t values (?)').run([n]);
    const sums = [1, 2].map((from) =>
      database.prepare('select sum(n) as sum from t where n > ?').all([from]),
    );
    expect(sums).toEqual([[{ sum: 5 }], [{ sum: 3 }]]);
    expect(prepared).toHaveLength(2);
  });

  it('go when they were unused for longest', () => {
    const database = withKeptStatements(connection);
    const often = 'select 1';
    for (let n = 0; n < 1_000; n++) {
      database.prepare(often).all([]);
      database.prepare(`select ${n} from t`).all([]);
    }
    database.prepare('select 0 from t').all([]);
    expect(prepared.filter((sql) => sql === often)).toHaveLength(1);
    expect(prepared.filter((sql) => sql === 'select 0 from t')).toHaveLength(2);
  });

  it('can be run while one of them is walked through', () => {
    const database = withKeptStatements(connection);
    for (const n of [1, 2, 3]) database.prepare('insert into t values (?)').run([n]);
    const all = 'select n from t order by n';
    const counts = [];
    for (const row of database.prepare(all).iterate([]))
      counts.push([row, database.prepare(all).all([]).length]);
    expect(counts).toEqual([
      [{ n: 1 }, 3],
      [{ n: 2 }, 3],
      [{ n: 3 }, 3],
    ]);
  });
});
