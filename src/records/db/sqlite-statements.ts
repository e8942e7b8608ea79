import type BetterSqlite3 from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Longer than the list of all queries that a server makes; lists of values of many lengths come on top. */
const statementsKeptMax = 300;
/** Characters: longer ones hold lists of keys, and don't come again. */
const keptLengthMax = 5_000;

/** Prepares a statement once and gives it again: preparing costs more than most queries do. Those unused for longest go first. */
export function keptStatements<T>(prepare: (sql: string) => T): (sql: string) => T {
  const kept = new Map<string, T>();
  return (sql) => {
    if (sql.length > keptLengthMax) return prepare(sql);
    const statement = kept.get(sql) ?? prepare(sql);
    kept.delete(sql);
    kept.set(sql, statement);
    const [oldest] = kept.keys();
    if (kept.size > statementsKeptMax && oldest !== undefined) kept.delete(oldest);
    return statement;
  };
}

/** A connection as Kysely sees it, which keeps its statements. */
export function withKeptStatements(connection: BetterSqlite3.Database): SqliteDatabase {
  return {
    close: () => connection.close(),
    prepare: keptStatements((sql) => statementOf(connection, sql)),
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
