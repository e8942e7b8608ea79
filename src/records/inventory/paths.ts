/**
 * Paths are kept once, whatever layers have them: as a folder, which ends with a slash (the root's is empty), and a name
 * in it. What is in an archive has its path behind `!/`: `app.jar!/org/example/Main.class`.
 */
import { sql } from 'kysely';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Tx } from '../db/database.ts';
import { type Engine, pairTable, type Reader, textTable } from '../db/engine.ts';
import { storable } from './rows.ts';

/** A path as it is kept. A path that is too long to be indexed was left out by the inspection already. */
export function keptPath(path: string): string {
  return storable(path);
}

export interface SplitPath {
  /** With a slash at its end, or empty. */
  readonly folder: string;
  readonly name: string;
}

export function splitPath(path: string): SplitPath {
  const at = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, at), name: path.slice(at) };
}

/** The ids of the paths that are known. */
export async function pathsFind(
  reader: { readonly engine: Engine; readonly db: Reader },
  paths: readonly string[],
): Promise<Map<string, number>> {
  const split = paths.map((path) => ({ path, ...splitPath(path) }));
  const folders = await foldersFind(reader, new Set(split.map(({ folder }) => folder)));
  const places = split.flatMap(({ path, folder, name }) => {
    const folderId = folders.get(folder);
    return folderId === undefined ? [] : [{ path, folderId, name }];
  });
  return entriesFind(reader, places);
}

/** The ids of all, those that were missing made. */
export async function pathsEnsure(tx: Tx, paths: readonly string[]): Promise<Map<string, number>> {
  if (paths.length === 0) return new Map();
  const split = paths.map((path) => ({ path, ...splitPath(path) }));
  const { ids: folders, made } = await foldersEnsure(tx, new Set(split.map(({ folder }) => folder)));
  const places = split.map(({ path, folder, name }) => ({ path, name, folderId: idOf(folders, folder) }));
  // In a folder that was made just now there is nothing yet.
  const found = await entriesFind(
    tx,
    places.filter(({ folderId }) => !made.has(folderId)),
  );
  const missing = places.filter(({ path }) => !found.has(path));
  await entriesInsert(tx, missing, found);
  // Someone else made them meanwhile.
  const lost = missing.filter(({ path }) => !found.has(path));
  for (const [path, id] of await entriesFind(tx, lost)) found.set(path, id);
  return found;
}

interface Place {
  readonly path: string;
  readonly folderId: number;
  readonly name: string;
}

async function foldersEnsure(
  tx: Tx,
  wanted: ReadonlySet<string>,
): Promise<{ ids: Map<string, number>; made: Set<number> }> {
  const ids = await foldersFind(tx, wanted);
  // In one order everywhere, so that two transactions that add the same ones can't wait for each other.
  const missing = [...wanted].filter((path) => !ids.has(path)).sort();
  const insert = {
    table: 'folders',
    columns: ['path'],
    ending: 'on conflict (path) do nothing returning id, path',
  } as const;
  const rows = await bulkInsert<{ id: number; path: string }>(
    tx,
    insert,
    missing.map((path) => [path]),
  );
  for (const { id, path } of rows) ids.set(path, id);
  const lost = missing.filter((path) => !ids.has(path));
  for (const [path, id] of await foldersFind(tx, new Set(lost))) ids.set(path, id);
  return { ids, made: new Set(rows.map(({ id }) => id)) };
}

async function foldersFind(
  { engine, db }: { readonly engine: Engine; readonly db: Reader },
  wanted: ReadonlySet<string>,
): Promise<Map<string, number>> {
  if (wanted.size === 0) return new Map();
  const { rows } = await sql<{ id: number; path: string }>`select folders.id, folders.path
    from ${textTable(engine, [...wanted])} join folders on folders.path = wanted.text`.execute(db);
  return new Map(rows.map(({ id, path }) => [path, id]));
}

async function entriesFind(
  { engine, db }: { readonly engine: Engine; readonly db: Reader },
  places: readonly Place[],
): Promise<Map<string, number>> {
  if (places.length === 0) return new Map();
  const pairs = places.map(({ folderId, name }) => [folderId, name] as const);
  const { rows } = await sql<{ id: number; at: number }>`select folder_entries.id, wanted.at
    from ${pairTable(engine, pairs)} join folder_entries
      on folder_entries.name = wanted.text and folder_entries.folder_id = wanted.number`.execute(db);
  return new Map(
    rows.flatMap(({ id, at }) => {
      const place = places[at];
      return place === undefined ? [] : [[place.path, id] as const];
    }),
  );
}

async function entriesInsert(tx: Tx, missing: readonly Place[], found: Map<string, number>): Promise<void> {
  const key = (folderId: number, name: string) => `${folderId}/${name}`;
  const sorted = missing.toSorted((a, b) => a.folderId - b.folderId || (a.name < b.name ? -1 : 1));
  const byKey = new Map(sorted.map((place) => [key(place.folderId, place.name), place.path]));
  const insert = {
    table: 'folder_entries',
    columns: ['folder_id', 'name'],
    ending: 'on conflict (name, folder_id) do nothing returning id, folder_id, name',
  } as const;
  const rows = sorted.map(({ folderId, name }) => [folderId, name]);
  for (const row of await bulkInsert<{ id: number; folder_id: number; name: string }>(tx, insert, rows)) {
    const path = byKey.get(key(row.folder_id, row.name));
    if (path !== undefined) found.set(path, row.id);
  }
}

function idOf(ids: ReadonlyMap<string, number>, folder: string): number {
  const id = ids.get(folder);
  if (id === undefined) throw new TypeError(`the folder '${folder}' got no id`);
  return id;
}
