/**
 * Many rows at once. The statement's text is made here, once for each number of rows, because building it anew for
 * every batch costs more than running it.
 */
import { CompiledQuery } from 'kysely';
import type { Tx } from './database.ts';
import type { Tables } from './tables.ts';

export interface BulkInsert {
  readonly table: keyof Tables;
  readonly columns: readonly string[];
  /** What follows the values: `on conflict …`, `returning …`. */
  readonly ending?: string;
}

/** Few sizes, so that few statements have to be prepared. The largest carries fewer values than either engine allows. */
const sizes = [250, 50, 10, 1] as const;
const texts = new Map<string, string>();

/** @param rows values in the order of the columns @returns what `ending` returns */
export async function bulkInsert<R = never>(
  tx: Tx,
  insert: BulkInsert,
  rows: readonly (readonly unknown[])[],
): Promise<R[]> {
  const returned: R[] = [];
  for (let at = 0; at < rows.length; ) {
    const left = rows.length - at;
    const size = sizes.find((each) => each <= left) ?? 1;
    const query = CompiledQuery.raw(statement(tx, insert, size), rows.slice(at, at + size).flat());
    const result = await tx.db.executeQuery<R>(query);
    for (const row of result.rows) returned.push(row);
    at += size;
  }
  return returned;
}

function statement({ engine }: Tx, { table, columns, ending = '' }: BulkInsert, rows: number): string {
  const key = `${engine} ${rows} ${table} ${columns.join()} ${ending}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  let value = 0;
  const placeholder = () => (engine === 'sqlite' ? '?' : `$${++value}`);
  const row = () => `(${columns.map(placeholder).join(', ')})`;
  const values = Array.from({ length: rows }, row).join(', ');
  const text = `insert into ${table} (${columns.join(', ')}) values ${values} ${ending}`;
  texts.set(key, text);
  return text;
}
