/** The rows and the files of one engine, read past every server. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import pg from 'pg';

export type Row = Readonly<Record<string, unknown>>;

export interface Store {
  rows(query: string): Promise<Row[]>;
  /** Of what is committed or being written: key, size and path. */
  files(): Promise<{ key: string; size: number; path: string }[]>;
  close(): Promise<void>;
}

export async function openStore(ask: {
  engine: 'sqlite' | 'postgres';
  /** A file, or an address. */
  database: string;
  blobs: string;
}): Promise<Store> {
  const files = () => filesBelow(ask.blobs);
  if (ask.engine === 'sqlite') {
    const connection = new BetterSqlite3(ask.database, { readonly: true });
    const all = (query: string): Row[] => connection.prepare<[], Row>(query).all();
    return { rows: async (query) => all(query), files, close: async () => void connection.close() };
  }
  const client = new pg.Client({ connectionString: ask.database });
  await client.connect();
  const rows = async (query: string): Promise<Row[]> => (await client.query<Row>(query)).rows;
  return { rows, files, close: () => client.end() };
}

async function filesBelow(folder: string) {
  const found: { key: string; size: number; path: string }[] = [];
  for (const place of ['uploads', 'blobs'])
    for (const entry of await readdir(join(folder, place), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      found.push({ key: basename(path), size: (await stat(path)).size, path });
    }
  return found;
}

export function readBytes(path: string): Promise<Buffer> {
  return readFile(path);
}
