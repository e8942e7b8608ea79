/** The indexes of the largest table, made when its rows are there: sorted at once they are made many times as fast as row by row. */
import type BetterSqlite3 from 'better-sqlite3';
import type pg from 'pg';

/** @returns what makes them again */
export function sqliteIndexesTaken(database: BetterSqlite3.Database): string[] {
  const indexes = database
    .prepare<[], { name: string; sql: string }>(
      "select name, sql from sqlite_schema where type = 'index' and sql is not null and tbl_name = 'layer_files'",
    )
    .all();
  for (const { name } of indexes) database.exec(`drop index ${name}`);
  return indexes.map(({ sql }) => sql);
}

/** @returns what makes them again */
export async function postgresIndexesTaken(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; sql: string }>(
    "select indexname as name, indexdef as sql from pg_indexes where tablename = 'layer_files' and indexname not like '%_pkey'",
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map(({ sql }) => sql);
}
