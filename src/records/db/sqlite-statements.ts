import type BetterSqlite3 from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Longer than the list of all queries that a server makes; lists of values of many lengths come on top. */
const statementsKeptMax = 300;

/**
 * A connection as Kysely sees it, which prepares a statement once and uses it again: preparing costs more than most
 * queries do. Those unused for longest go first.
 */
export function withKeptStatements(connection: BetterSqlite3.Database): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    close: () => connection.close(),
    prepare: (sql) => {
      const statement = kept.get(sql) ?? statementOf(connection, sql);
      kept.delete(sql);
      kept.set(sql, statement);
      const [oldest] = kept.keys();
      if (kept.size > statementsKeptMax && oldest !== undefined) kept.delete(oldest);
      return statement;
    },
  };
}

function statementOf(connection: BetterSqlite3.Database, sql: string): SqliteStatement {
  const statement = connection.prepare<unknown[]>(sql);
  return {
    reader: statement.reader,
    all: (parameters) => statement.all(parameters),
    run: (parameters) => statement.run(parameters),
    // A statement that is being walked through can't be used by anybody else.
    iterate: (parameters) => connection.prepare<unknown[]>(sql).iterate(parameters),
  };
}
