import type { CompiledQuery } from 'kysely';
import type { Hit, Leaf } from './leaf.ts';

/** Rows that are read for each image that is wanted: one may come more than once. */
const rowsForOne = 2;

/** What is found first: at most `limit` images, distinct. */
export function firstHits({ matches, asFound }: Leaf, limit: number): CompiledQuery<Hit> {
  if (!asFound) return { ...matches, sql: `select * from (${matches.sql}) as hit limit ${limit}` };
  const rows = `select * from (${asFound.sql}) as found_row limit ${limit * rowsForOne}`;
  return { ...asFound, sql: `select distinct hit.manifest_id from (${rows}) as hit limit ${limit}` };
}
