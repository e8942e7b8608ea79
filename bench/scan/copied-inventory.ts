import BetterSqlite3 from 'better-sqlite3';
import pg from 'pg';
import { postgresIndexesTaken } from './indexes.ts';

const rowsAtOnce = 5_000;

/** Puts the rows of a SQLite file into the tables of a PostgreSQL database, which were made by a first opening. */
export async function copyInventory(
  file: string,
  url: string,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const from = new BetterSqlite3(file, { readonly: true });
  const to = new pg.Client({ connectionString: url });
  await to.connect();
  try {
    await to.query('set session_replication_role = replica'); // references were kept by whoever made the rows
    const indexes = await postgresIndexesTaken(to);
    for (const table of await tablesOf(to)) {
      say(`copying ${table}`);
      await copyTable(from, to, { table, signal });
    }
    say('making indexes');
    await to.query("set maintenance_work_mem = '512MB'");
    for (const index of indexes) await to.query(index);
    await to.query('vacuum analyze');
  } finally {
    await to.end();
    from.close();
  }
}

async function tablesOf(to: pg.Client): Promise<string[]> {
  const { rows } = await to.query<{ name: string }>(`select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('migrations', 'settings') order by 1`);
  return rows.map(({ name }) => name);
}

async function copyTable(
  from: BetterSqlite3.Database,
  to: pg.Client,
  { table, signal }: { readonly table: string; readonly signal: AbortSignal },
): Promise<void> {
  const columns = await to.query<{ name: string; type: string }>(
    `select column_name as name, udt_name as type from information_schema.columns
      where table_schema = 'public' and table_name = $1 order by ordinal_position`,
    [table],
  );
  const names = columns.rows.map(({ name }) => name).join(', ');
  const lists = columns.rows.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ');
  const insert = `insert into ${table} (${names}) select * from unnest(${lists})`;
  let some: unknown[][] = [];
  const put = async () => {
    if (some.length > 0)
      await to.query(
        insert,
        columns.rows.map((_, at) => some.map((row) => row[at])),
      );
    some = [];
  };
  const rows = from.prepare<[], unknown[]>(`select ${names} from ${table}`).raw().iterate();
  for (const row of rows) {
    signal.throwIfAborted();
    some.push(row);
    if (some.length === rowsAtOnce) await put();
  }
  await put();
  const { rows: keys } = await to.query<{ name: string | null }>(
    `select pg_get_serial_sequence($1, 'id') as name from information_schema.columns
      where table_schema = 'public' and table_name = $1 and column_name = 'id'`,
    [table],
  );
  const sequence = keys[0]?.name;
  if (sequence) await to.query(`select setval($1, (select coalesce(max(id), 1) from ${table}))`, [sequence]);
}
