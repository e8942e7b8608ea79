import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { LazaretError } from '../../lib/errors.ts';
import type { DatabaseOptions, Tx } from './database.ts';
import type { DatabaseCopy } from './database-copy.ts';
import type { Reader } from './engine.ts';
import { openPostgres, typeParser } from './postgres.ts';
import type { Tables } from './tables.ts';

/**
 * A dump of our own, so that nothing but this program is needed: a line of JSON per row, `{"table": …, "row": {…}}`, as
 * PostgreSQL itself writes and reads rows as JSON; tables come after those that they refer to. All of it is read in one
 * REPEATABLE READ transaction, so it is one moment, and no writer waits for it.
 */
const rowsAtOnce = 200;
const loadBytesAtOnce = 1024 * 1024;

export async function postgresCopy(url: string, file: string): Promise<DatabaseCopy> {
  const db = connect(url);
  try {
    const tx = await db
      .startTransaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute();
    await writeDump(tx, file);
    const close = async () => {
      await tx.rollback().execute();
      await db.destroy();
    };
    return { read: tx, close };
  } catch (cause) {
    await db.destroy();
    throw new LazaretError('unavailable', 'the database could not be copied', { cause });
  }
}

/** A server that never got to its first start has made tables, and nothing in them. */
export async function postgresEmpty(url: string): Promise<boolean> {
  const db = connect(url);
  try {
    const tables = await tableNames(db);
    if (!tables.includes('settings')) return tables.length === 0;
    const { rows } = await sql`select 1 from accounts union all select 1 from log
      union all select 1 from blobs limit 1`.execute(db);
    return rows.length === 0;
  } finally {
    await db.destroy();
  }
}

/** In one transaction, over the tables of this version, under the epoch of the new database. */
export async function postgresRestore<T>(
  from: { readonly target: string; readonly copy: string },
  options: DatabaseOptions,
  settle: (tx: Tx) => Promise<T>,
): Promise<T> {
  const database = await openPostgres(from.target, options);
  try {
    return await database.transact(async (tx) => {
      await loadDump(tx.db, from.copy);
      return settle(tx);
    });
  } finally {
    await database.close();
  }
}

function connect(url: string): Kysely<Tables> {
  const pool = new pg.Pool({ connectionString: url, max: 1, types: { getTypeParser: typeParser } });
  pool.on('error', () => {}); // the query that needs the connection fails by itself
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

async function writeDump(db: Reader, file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    for (const table of await tableNames(db)) {
      await sql`declare dump no scroll cursor for
        select json_build_object('table', ${table}::text, 'row', row_to_json(t))::text as line
        from ${sql.table(table)} t`.execute(db);
      for (;;) {
        const { rows } = await sql<{ line: string }>`fetch ${sql.lit(rowsAtOnce)} from dump`.execute(db);
        if (rows.length === 0) break;
        await handle.appendFile(rows.map(({ line }) => `${line}\n`).join(''));
      }
      await sql`close dump`.execute(db);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Each after those that it refers to. */
async function tableNames(db: Reader): Promise<string[]> {
  const tables = await sql<{ name: string }>`select c.relname as name from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by c.relname`.execute(db);
  const references = await sql<{ table: string; needs: string }>`select a.relname as table, b.relname as needs
    from pg_constraint k join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
    where k.contype = 'f' and a.relnamespace = current_schema()::regnamespace`.execute(db);
  const needs = Map.groupBy(references.rows, (row) => row.table);
  const ordered = new Set<string>();
  const place = (name: string) => {
    for (const each of needs.get(name) ?? [])
      if (each.needs !== name && !ordered.has(each.needs)) place(each.needs);
    ordered.add(name);
  };
  for (const { name } of tables.rows) place(name);
  return [...ordered];
}

async function loadDump(db: Transaction<Tables>, file: string): Promise<void> {
  const known = new Set(await tableNames(db));
  const migrations = new Set<string>();
  let batch: { table: string; rows: string[]; bytes: number } = { table: '', rows: [], bytes: 0 };
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const { table, row } = parsedLine(line, known);
    if (table === 'migrations') {
      migrations.add(JSON.stringify(row));
      continue;
    }
    if (table !== batch.table || batch.bytes > loadBytesAtOnce) {
      await insertRows(db, batch);
      batch = { table, rows: [], bytes: 0 };
    }
    const text = JSON.stringify(row);
    batch.rows.push(text);
    batch.bytes += text.length;
  }
  await insertRows(db, batch);
  await assertSameMigrations(db, migrations);
  await moveSequences(db);
}

function parsedLine(line: string, known: ReadonlySet<string>): { table: string; row: object } {
  const value: unknown = JSON.parse(line);
  if (typeof value === 'object' && value !== null && 'table' in value && 'row' in value) {
    const { table, row } = value;
    if (typeof table === 'string' && known.has(table) && typeof row === 'object' && row !== null)
      return { table, row };
  }
  throw new LazaretError('conflict', 'the backup has rows of a table that this version does not know');
}

/** The epoch and the region are the new database's own: the region is the same, the epoch must not be. */
async function insertRows(db: Transaction<Tables>, batch: { table: string; rows: string[] }): Promise<void> {
  if (batch.rows.length === 0) return;
  const table = sql.table(batch.table);
  const kept = batch.table === 'settings' ? sql`on conflict (key) do nothing` : sql``;
  await sql`insert into ${table} select * from json_populate_recordset(null::${table}, ${`[${batch.rows.join(',')}]`}::json)
    ${kept}`.execute(db);
}

async function assertSameMigrations(db: Transaction<Tables>, found: ReadonlySet<string>): Promise<void> {
  const here = await db.selectFrom('migrations').select('name').execute();
  if (here.length === found.size && here.every(({ name }) => found.has(JSON.stringify({ name })))) return;
  throw new LazaretError(
    'conflict',
    'the backup is of another version: restore it with that version, then upgrade',
  );
}

/** Rows came with their keys; the next ones follow. */
async function moveSequences(db: Transaction<Tables>): Promise<void> {
  const { rows } = await sql<{
    table: string;
    column: string;
  }>`select table_name as table, column_name as column
    from information_schema.columns where table_schema = current_schema() and is_identity = 'YES'`.execute(
    db,
  );
  for (const { table, column } of rows)
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
      (select coalesce(max(${sql.ref(column)}), 0) + 1 from ${sql.table(table)}), false)`.execute(db);
}
