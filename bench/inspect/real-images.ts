/**
 * What the inventory of real images takes in the metadata store, and how often they have the same: the images of
 * `test/images`, with their views, where they can be built.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { sql } from 'kysely';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { buildRealImage, whyNone } from '../../test/images/build.ts';
import { type InventoryWorld, inventoryWorld } from '../../test/support/inventory-world.ts';
import type { Layer } from '../../test/support/oci-layout.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure } from '../figures.ts';

/** Those with one image each; a base and an image upon it, as in most registries. */
const names = [
  'debian-minbase',
  'debian-nginx',
  'java-app',
  'node-app',
  'python-app',
  'ruby-app',
  'rpm-demo',
  'go-scratch',
];
const fileTables = ['folders', 'folder_entries', 'layer_files'];
const packageTables = ['packages', 'layer_packages', 'image_packages'];

export async function* measureRealImages({ folder, say, signal }: BenchOptions): AsyncGenerator<Figure> {
  const none = await whyNone();
  if (none !== undefined) return say(`no real images: ${none}`);
  const images = await builtRealImages(say, signal);
  const file = join(folder, 'real.sqlite');
  yield* await onSqlite(file, images);
  yield* await onPostgres(images);
}

export async function builtRealImages(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RealImage[]> {
  const images: RealImage[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    say(`real images: ${name}`);
    images.push(await realImage(await buildRealImage(name)));
  }
  return images;
}

interface RealImage {
  readonly layers: readonly Layer[];
  readonly config: Uint8Array;
}

async function realImage(layout: string): Promise<RealImage> {
  const blob = ({ digest }: { readonly digest: string }) =>
    readFile(join(layout, 'blobs', digest.replace(':', '/')));
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  const manifest = JSON.parse((await blob(index.manifests[0])).toString());
  const config = await blob(manifest.config);
  const diffIds = JSON.parse(config.toString()).rootfs.diff_ids;
  const layers: Layer[] = [];
  for (const [at, described] of manifest.layers.entries())
    layers.push({ ...described, bytes: await blob(described), diffId: diffIds[at] });
  return { layers, config };
}

async function onSqlite(file: string, images: readonly RealImage[]): Promise<Figure[]> {
  const opened = () => openDatabase({ kind: 'sqlite', file }, { region: 'bench', clock: systemClock });
  const database = await opened();
  const counted = await filled(database, images);
  await database.close();
  // Its pages by table and index (sqlite.org/dbstat.html).
  const store = new BetterSqlite3(file, { readonly: true });
  const pages = store.prepare<[], { of: string; bytes: number }>(
    `select coalesce(tbl_name, dbstat.name) as "of", sum(pgsize) as bytes from dbstat
      left join sqlite_schema on sqlite_schema.name = dbstat.name group by 1`,
  );
  const bytes = new Map(pages.all().map((row) => [row.of, row.bytes]));
  store.close();
  const { size } = await stat(file);
  return figuresOf('SQLite', (tables) => sum(tables, bytes), { ...counted, wholeBytes: size });
}

async function onPostgres(images: readonly RealImage[]): Promise<Figure[]> {
  const postgres = await startPostgres();
  try {
    const config = { kind: 'postgres' as const, url: postgres.url };
    const database = await openDatabase(config, { region: 'bench', clock: systemClock });
    try {
      const counted = await filled(database, images);
      const { rows } = await sql<{
        of: string;
        bytes: string;
      }>`select relname as "of", pg_total_relation_size(oid) as bytes
        from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`.execute(
        database.read,
      );
      const bytes = new Map(rows.map((row) => [row.of, Number(row.bytes)]));
      const wholeBytes = sum([...bytes.keys()], bytes);
      return figuresOf('PostgreSQL', (tables) => sum(tables, bytes), { ...counted, wholeBytes });
    } finally {
      await database.close();
    }
  } finally {
    await postgres.stop();
  }
}

function sum(tables: readonly string[], bytes: ReadonlyMap<string, number>): number {
  return tables.reduce((total, table) => total + (bytes.get(table) ?? 0), 0);
}

interface Counted {
  readonly images: number;
  readonly layers: number;
  readonly files: number;
  readonly paths: number;
  readonly hashed: number;
  readonly hashes: number;
  /** Of layers. */
  readonly found: number;
  /** Of images. */
  readonly shown: number;
  readonly packages: number;
}

export async function filled(database: Database, images: readonly RealImage[]): Promise<Counted> {
  await using world: InventoryWorld = await inventoryWorld({ open: async () => database });
  for (const { layers, config } of images) await world.push({ layers, configBytes: config });
  await world.drain();
  const { rows } = await sql<Record<keyof Counted, number | string>>`select
      (select count(*) from images) as images, (select count(*) from inspections) as layers,
      (select count(*) from layer_files) as files, (select count(distinct path_id) from layer_files) as paths,
      (select count(*) from layer_files where sha256 is not null) as hashed,
      (select count(distinct sha256) from layer_files) as hashes,
      (select count(*) from layer_packages) as found, (select count(*) from image_packages) as shown,
      (select count(*) from packages) as packages`.execute(database.read);
  const [row] = rows;
  if (!row) throw new TypeError('nothing was counted');
  const count = (of: keyof Counted) => Number(row[of]);
  return {
    images: count('images'),
    layers: count('layers'),
    files: count('files'),
    paths: count('paths'),
    hashed: count('hashed'),
    hashes: count('hashes'),
    found: count('found'),
    shown: count('shown'),
    packages: count('packages'),
  };
}

function figuresOf(
  engine: string,
  bytesOf: (tables: readonly string[]) => number,
  counted: Counted & { readonly wholeBytes: number },
): Figure[] {
  const { images, layers, files, paths, hashed, hashes, found, shown, packages, wholeBytes } = counted;
  const times = (all: number, distinct: number) => (all / distinct).toFixed(2);
  const of = `${images} real images of ${layers} distinct layers, indexes included; ${(wholeBytes / 1e6).toFixed(1)} MB in all tables`;
  return [
    figure({
      name: `metadata per file of real images, ${engine}`,
      unit: 'bytes',
      samples: [bytesOf(fileTables) / files],
      note:
        `${files.toLocaleString('en')} files, each path in ${times(files, paths)} layers, each content in ` +
        `${times(hashed, hashes)} places; folders, names and files of ${of}`,
    }),
    figure({
      name: `metadata per package of real images, ${engine}`,
      unit: 'bytes',
      samples: [bytesOf(packageTables) / found],
      note:
        `${found.toLocaleString('en')} packages in layers and ${shown.toLocaleString('en')} in images, each version in ` +
        `${times(found, packages)} layers; distinct packages and where they are, of ${of}`,
    }),
  ];
}
