import { type RawBuilder, sql } from 'kysely';
import { globAlternatives, globMatcher, globPrefix, isLiteralGlob } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { splitPath } from '../inventory/paths.ts';
import { within } from './found-packages.ts';
import { textMayBe } from './text-may-be.ts';

/**
 * A literal path by its index. Of a glob, the known paths are narrowed by their name and by the folders that they must lie
 * in, as far as the engine can, and then matched one by one.
 */
export async function pathIs(database: Database, pathId: string, glob: string): Promise<RawBuilder<boolean>> {
  if (isLiteralGlob(glob))
    return sql<boolean>`${sql.ref(pathId)} in (select folder_entries.id ${entryAt(glob)})`;
  const candidates = await database.search(
    sql<{ id: number; path: string }>`select folder_entries.id, folders.path || folder_entries.name as path
      from folder_entries join folders on folders.id = folder_entries.folder_id
      where ${narrowed(glob)}`.compile(database.read),
  );
  const matches = globMatcher(glob);
  const ids = candidates.filter((row) => matches(row.path)).map((row) => row.id);
  return within(database, pathId, ids);
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
