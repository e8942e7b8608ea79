import assert from 'node:assert/strict';
import { type RawBuilder, sql } from 'kysely';
import { type Engine, keyArray } from './engine.ts';

/** `column in (…)`; true for everything when there is no list, false for everything when it is empty. */
export function within(
  on: OnEngine,
  column: string,
  ids: readonly number[] | undefined,
): RawBuilder<boolean> {
  if (ids === undefined) return sql<boolean>`1 = 1`;
  if (ids.length === 0) return sql<boolean>`1 = 0`;
  return sql<boolean>`${sql.ref(column)} ${isOneOf(on, ids)}`;
}

/**
 * What stands after a column: that it is one of these keys, of which there may be thousands. On PostgreSQL they are one
 * parameter, so that the statement is the same for any of them; SQLite is quicker with the keys themselves.
 */
export function isOneOf({ engine }: OnEngine, ids: readonly number[]): RawBuilder<unknown> {
  if (engine === 'postgres') return sql`= any(${keyArray(ids)})`;
  assert(ids.every(Number.isSafeInteger), 'keys are whole numbers');
  // `null` of none, which nothing is.
  return sql`in (${sql.raw(ids.length === 0 ? 'null' : ids.join(', '))})`;
}

export interface OnEngine {
  readonly engine: Engine;
}
