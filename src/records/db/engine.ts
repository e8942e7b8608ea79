import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { Tables } from './tables.ts';

export type Engine = 'sqlite' | 'postgres';

/**
 * All that differs between the two engines, in one file: row locks, turns, collation. (Globs, opening, the order of the log
 * and bulk limits have files beside it.)
 */

/** Locks the selected rows until the transaction ends. SQLite has one writer, so every transaction holds that lock. */
export function locked<T extends keyof Tables, O>(
  engine: Engine,
  query: SelectQueryBuilder<Tables, T, O>,
): SelectQueryBuilder<Tables, T, O> {
  return engine === 'postgres' ? query.forUpdate() : query;
}

/**
 * Locks those of the rows that nobody else has locked; the others are not among the result. For work that several
 * processes share, and for whoever must not wait.
 */
export function lockedSkipping<T extends keyof Tables, O>(
  engine: Engine,
  query: SelectQueryBuilder<Tables, T, O>,
): SelectQueryBuilder<Tables, T, O> {
  return engine === 'postgres' ? query.forUpdate().skipLocked() : query;
}

/**
 * Holds the turn number `turn` until the transaction ends: many holders of kind `shared` at once, or one `exclusive`.
 * SQLite's transactions take turns anyway.
 */
export async function turnTaken(
  tx: { readonly engine: Engine; readonly db: Kysely<Tables> },
  turn: number,
  kind: 'shared' | 'exclusive',
): Promise<void> {
  if (tx.engine === 'sqlite') return;
  const take = kind === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`;
  await sql`select ${take}(${turn})`.execute(tx.db);
}

/** `column` compared and sorted by code unit, as digests, tags and names are, whatever the database's own collation is. */
export function byCodeUnit(engine: Engine, column: string | RawBuilder<string>): RawBuilder<string> {
  const text = typeof column === 'string' ? sql<string>`${sql.ref(column)}` : column;
  return engine === 'sqlite' ? text : sql<string>`${text} collate "C"`;
}

/** The name of a package in lower case, by code unit: as its index has it. */
export function foldedName(engine: Engine): RawBuilder<string> {
  return engine === 'sqlite' ? sql<string>`lower(name)` : sql<string>`lower(name) collate "C"`;
}

/** Texts as a table `wanted (text)`, to be joined with: one parameter, and one statement for any number of them. */
export function textTable(engine: Engine, texts: readonly string[]): RawBuilder<unknown> {
  return engine === 'sqlite'
    ? sql`(select value as text from json_each(${JSON.stringify(texts)})) as wanted`
    : sql`unnest(${texts}::text[]) as wanted (text)`;
}

/** Keys as a table with a column `id`: one parameter for any number of them. */
export function idTable(engine: Engine, ids: readonly number[]): RawBuilder<unknown> {
  return engine === 'sqlite'
    ? sql`(select value as id from json_each(${JSON.stringify(ids)}))`
    : sql`(select unnest(${keyArray(ids)}) as id)`;
}

/** Keys as one value of PostgreSQL: written as a text here, which is many times as fast as by the driver, value by value. */
export function keyArray(ids: readonly number[]): RawBuilder<unknown> {
  return sql`${`{${ids.join(',')}}`}::bigint[]`;
}

/** Pairs as a table `wanted (number, text, at)`, `at` being a pair's place in the list, from 0. */
export function pairTable(
  engine: Engine,
  pairs: readonly (readonly [number: number, text: string])[],
): RawBuilder<unknown> {
  if (engine === 'sqlite')
    return sql`(select value ->> 0 as number, value ->> 1 as text, key as at
      from json_each(${JSON.stringify(pairs)})) as wanted`;
  return sql`(select number, text, (place - 1)::integer as at
    from unnest(${pairs.map(([number]) => number)}::integer[], ${pairs.map(([, text]) => text)}::text[])
      with ordinality as pair (number, text, place)) as wanted`;
}

/** Rows of numbers as a table `name (columns)`: one parameter of SQLite, one a column of PostgreSQL. */
export function numberTable(engine: Engine, { name, columns, rows }: NumberRows): RawBuilder<unknown> {
  if (engine === 'sqlite') {
    const values = columns.map((column, at) => sql`value ->> ${sql.lit(at)} as ${sql.ref(column)}`);
    return sql`(select ${sql.join(values)} from json_each(${JSON.stringify(rows)})) as ${sql.ref(name)}`;
  }
  const lists = columns.map((_, at) => keyArray(rows.map((row) => row[at] ?? 0)));
  return sql`unnest(${sql.join(lists)}) as ${sql.ref(name)} (${sql.join(columns.map((column) => sql.ref(column)))})`;
}

export interface NumberRows {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/** How many values one statement may carry: SQLite's compiled limit is 32,766, PostgreSQL's protocol limit 65,535. */
export const statementValuesMax = 30_000;

/** Splits rows so that no insert carries more values than an engine takes. */
export function* chunked<R extends object>(rows: readonly R[]): Generator<readonly R[]> {
  const columns = Math.max(1, Object.keys(rows[0] ?? {}).length);
  const size = Math.min(500, Math.floor(statementValuesMax / columns));
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

export type Reader = Kysely<Tables>;

/** A text inside a column of JSON text; null where there is none. */
export function jsonText(engine: Engine, column: string, path: readonly string[]): RawBuilder<string> {
  if (engine === 'sqlite') return sql<string>`json_extract(${sql.ref(column)}, ${jsonPath(path)})`;
  return sql<string>`(${sql.ref(column)}::jsonb #>> ${[...path]}::text[])`;
}

/** Whether a list inside a column of JSON text has a text. */
export function jsonHas(
  engine: Engine,
  column: string,
  path: readonly string[],
  text: string,
): RawBuilder<boolean> {
  if (engine === 'sqlite')
    return sql<boolean>`exists (select 1 from json_each(${sql.ref(column)}, ${jsonPath(path)}) as item
      where item.value = ${text})`;
  return sql<boolean>`(${sql.ref(column)}::jsonb #> ${[...path]}::text[]) @> to_jsonb(${text}::text)`;
}

/** A key in quotation marks is one of JSON, with its escapes. */
function jsonPath(path: readonly string[]): string {
  return `$${path.map((key) => `.${JSON.stringify(key)}`).join('')}`;
}
