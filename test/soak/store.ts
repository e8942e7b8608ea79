/** The rows and the bytes of one engine, read past every server. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import BetterSqlite3 from 'better-sqlite3';
import pg from 'pg';
import { S3Requests } from '../../src/blobs/s3-client.ts';
import type { S3Config } from '../../src/blobs/s3-config.ts';

export type Row = Readonly<Record<string, unknown>>;

/** What is committed or being written, under a key. */
export interface StoredFile {
  readonly key: string;
  readonly size: number;
  readonly path: string;
}

interface Rows {
  rows(query: string): Promise<Row[]>;
  close(): Promise<void>;
}

interface Files {
  files(): Promise<StoredFile[]>;
  bytes(file: StoredFile): Promise<Buffer>;
}

export type Store = Rows & Files;

/** Where blobs are. */
export type Place =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 's3'; readonly config: S3Config };

/** @param database a file, or an address */
export async function openStore(database: string, place: Place): Promise<Store> {
  const { rows, close: closeRows } = await openRows(database);
  if (place.kind === 'folder') {
    const { folder } = place;
    return { rows, files: () => filesBelow(folder), bytes: ({ path }) => readFile(path), close: closeRows };
  }
  const bucket = new S3Requests(place.config);
  const close = async () => {
    bucket.close();
    await closeRows();
  };
  return { rows, ...filesIn(bucket, place.config), close };
}

async function openRows(database: string): Promise<Rows> {
  if (!database.startsWith('postgres')) {
    const connection = new BetterSqlite3(database, { readonly: true });
    const all = (query: string): Row[] => connection.prepare<[], Row>(query).all();
    return { rows: async (query) => all(query), close: async () => void connection.close() };
  }
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  const rows = async (query: string): Promise<Row[]> => (await client.query<Row>(query)).rows;
  return { rows, close: () => client.end() };
}

function filesIn(bucket: S3Requests, { bucket: Bucket, prefix }: S3Config): Files {
  return {
    files: async () => {
      const found: StoredFile[] = [];
      for (const place of ['uploads/', 'blobs/'])
        for await (const { name, sizeBytes } of bucket.list(place))
          found.push({ key: basename(name), size: sizeBytes, path: name });
      // Parts that were never made one object are paid for as well.
      for await (const { name } of bucket.multiparts(''))
        found.push({ key: basename(name), size: 0, path: `${name}, in parts` });
      return found;
    },
    bytes: async ({ path }) => {
      const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket, Key: prefix + path }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
  };
}

async function filesBelow(folder: string): Promise<StoredFile[]> {
  const found: StoredFile[] = [];
  for (const place of ['uploads', 'writing', 'blobs'])
    for (const entry of await readdir(join(folder, place), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      found.push({ key: basename(path).split('.', 1)[0] ?? '', size: (await stat(path)).size, path });
    }
  return found;
}
