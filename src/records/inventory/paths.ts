import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { storable } from './rows.ts';

/** A path as it is kept. A path that is too long to be indexed was left out by the inspection already. */
export function keptPath(path: string): string {
  return storable(path);
}

/** The ids of the paths that are known. */
export async function pathsFind(db: Reader, paths: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const part of chunked(paths.map((path) => ({ path })))) {
    const wanted = part.map(({ path }) => path);
    const rows = await db.selectFrom('paths').selectAll().where('path', 'in', wanted).execute();
    for (const row of rows) found.set(row.path, row.id);
  }
  return found;
}

/** The ids of all, those that were missing made. */
export async function pathsEnsure(tx: Tx, paths: readonly string[]): Promise<Map<string, number>> {
  const found = await pathsFind(tx.db, paths);
  // In one order everywhere, so that two transactions that add the same paths can't wait for each other.
  const missing = paths
    .filter((path) => !found.has(path))
    .sort()
    .map((path) => ({ path }));
  for (const part of chunked(missing)) {
    const rows = await tx.db
      .insertInto('paths')
      .values([...part])
      .onConflict((c) => c.column('path').doNothing())
      .returningAll()
      .execute();
    for (const row of rows) found.set(row.path, row.id);
  }
  const lost = missing.map(({ path }) => path).filter((path) => !found.has(path));
  // Someone else made them meanwhile.
  for (const [path, id] of await pathsFind(tx.db, lost)) found.set(path, id);
  return found;
}
