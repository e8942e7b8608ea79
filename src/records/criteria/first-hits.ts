import type { CompiledQuery } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Hit, Leaf } from './leaf.ts';

/** Rows that are read for each image that is wanted: one may come more than once. */
const rowsForOne = 2;

/** What is found first: `limit` images, distinct, or all where there are fewer. */
export async function firstHits(database: Database, leaf: Leaf, limit: number): Promise<readonly Hit[]> {
  const found = await database.search(firstQuery(leaf, limit));
  if (found.length >= limit || !leaf.asFound) return found;
  const rows = found.reduce((sum, hit) => sum + Number(hit.rows), 0);
  // Some images came so often that others were not come to.
  return rows < limit * rowsForOne ? found : database.search(firstQuery({ matches: leaf.matches }, limit));
}

/** Of what may come more than once as many rows as are read, in which there may be fewer images. */
export function firstQuery(
  { matches, asFound }: Pick<Leaf, 'matches' | 'asFound'>,
  limit: number,
): CompiledQuery<Hit & { readonly rows?: number }> {
  if (!asFound) return { ...matches, sql: `select * from (${matches.sql}) as hit limit ${limit}` };
  const rows = `select * from (${asFound.sql}) as found_row limit ${limit * rowsForOne}`;
  return {
    ...asFound,
    sql: `select hit.manifest_id, count(*) as rows from (${rows}) as hit group by hit.manifest_id limit ${limit}`,
  };
}
