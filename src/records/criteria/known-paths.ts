import { type RawBuilder, sql } from 'kysely';
import { globAlternatives, globPrefix, isLiteralGlob } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { idTable } from '../db/engine.ts';
import { globIs } from '../db/glob-condition.ts';
import { isOneOf } from '../db/keys.ts';
import { splitPath } from '../inventory/paths.ts';
import { textMayBe } from './text-may-be.ts';

/** So many are given to a search one by one. */
const listedMax = 10_000;
/** So many are looked for in each of an image's layers; of more, the layers' own paths are looked at. */
const lookedForMax = 200;

/** That a path is what a glob stands for: as a way to begin, and of what was found already. */
export interface PathTest {
  readonly found: RawBuilder<boolean>;
  readonly shown: RawBuilder<boolean>;
}

/**
 * A literal path by its index. Of a glob, the known paths are narrowed by their name and by the folders that they must lie
 * in, and then matched one by one; a search is given those that do, or where they are very many, how to find them.
 */
export async function pathIs(database: Database, pathId: string, glob: string): Promise<PathTest> {
  if (isLiteralGlob(glob)) {
    const isEntry = sql<boolean>`${sql.ref(pathId)} in (select folder_entries.id ${entryAt(glob)})`;
    return { found: isEntry, shown: isEntry };
  }
  const path = sql<string>`folders.path || folder_entries.name`;
  const ids = sql`select folder_entries.id from folder_entries join folders on folders.id = folder_entries.folder_id
    where ${narrowed(glob)} and ${globIs(database.engine, path, glob)}`;
  return (await isAmong(database, pathId, ids)) ?? { found: sql`1 = 0`, shown: sql`1 = 0` };
}

/** @param ids a query of one column, `id`. @returns undefined where there are none */
export async function isAmong(
  database: Database,
  column: string,
  ids: RawBuilder<unknown>,
): Promise<PathTest | undefined> {
  const rows = await database.search(
    sql<{ id: number }>`${ids} limit ${sql.lit(listedMax + 1)}`.compile(database.read),
  );
  if (rows.length === 0) return undefined;
  const listed = rows.map(({ id }) => Number(id));
  const isTooMany = rows.length > listedMax;
  const found = sql<boolean>`${sql.ref(column)} ${isTooMany ? sql`in (${ids})` : isOneOf(database, listed)}`;
  if (rows.length <= lookedForMax) return { found, shown: found };
  const table = isTooMany ? ids : sql`select listed.id from ${idTable(database.engine, listed)} as listed`;
  // No engine looks for an index of a sum.
  return { found, shown: sql<boolean>`${sql.ref(column)} + 0 in (${table})` };
}

function entryAt(path: string): RawBuilder<unknown> {
  const { folder, name } = splitPath(path);
  return sql`from folder_entries join folders on folders.id = folder_entries.folder_id
    where folder_entries.name = ${name} and folders.path = ${folder}`;
}

function narrowed(glob: string): RawBuilder<boolean> {
  const names = globAlternatives(glob).map((alternative) => splitPath(alternative).name);
  const name = sql<string>`folder_entries.name`;
  const { folder } = splitPath(globPrefix(glob));
  const conditions = [
    sql<boolean>`(${sql.join(
      names.map((one) => textMayBe(name, one)),
      sql` or `,
    )})`,
    // All folders that begin so lie between it and what comes next after it, `0` being the character after the slash.
    ...(folder === ''
      ? []
      : [sql<boolean>`folders.path >= ${folder} and folders.path < ${`${folder.slice(0, -1)}0`}`]),
  ];
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
