/**
 * What a file costs in the metadata store: five layers with the same paths, in which the content of a file is the same in
 * one layer, or in two or three, or in all, as it is in images that are built again and again upon a changing base.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { readLayer } from '../../src/layers/read-layer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { KnownIds } from '../../src/records/inventory/known-ids.ts';
import { layerInventoryKeep } from '../../src/records/inventory/layer-keep.ts';
import type { InventoryFile, KeptPart } from '../../src/records/inventory/rows.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { pieces } from './corpus.ts';
import { layerBlob } from './layer-blob.ts';

const layers = 5;
const partFiles = 2_000;

export async function* measureStorage(options: BenchOptions, layer: Buffer): AsyncGenerator<Figure> {
  const { files } = await readLayer(pieces(layer), { extractors: [], clock: systemClock });
  yield sized(120, 'SQLite', files.length, await onSqlite(options, files));
  yield sized(200, 'PostgreSQL', files.length, await onPostgres(files));
}

function sized(target: number, engine: string, files: number, bytes: number): Figure {
  return figureAtMost(target, {
    name: `metadata per file, ${engine}`,
    unit: 'bytes',
    samples: [bytes / (files * layers)],
    note: `${files.toLocaleString('en')} paths in ${layers} layers each, contents in 1 to 5 of them; all tables, indexes and dictionaries`,
  });
}

async function onSqlite({ folder }: BenchOptions, files: readonly InventoryFile[]): Promise<number> {
  const file = join(folder, 'storage.sqlite');
  const opened = () => openDatabase({ kind: 'sqlite', file }, { region: 'bench', clock: systemClock });
  await (await opened()).close();
  const { size: emptyBytes } = await stat(file);
  const database = await opened();
  await fill(database, files);
  await database.close();
  return (await stat(file)).size - emptyBytes;
}

async function onPostgres(files: readonly InventoryFile[]): Promise<number> {
  const postgres = await startPostgres();
  try {
    const database = await openDatabase(
      { kind: 'postgres', url: postgres.url },
      { region: 'bench', clock: systemClock },
    );
    try {
      const before = await tableBytes(database);
      await fill(database, files);
      return (await tableBytes(database)) - before;
    } finally {
      await database.close();
    }
  } finally {
    await postgres.stop();
  }
}

async function tableBytes(database: Database): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`select sum(pg_total_relation_size(oid)) as bytes from pg_class
    where relkind = 'r' and relnamespace = current_schema()::regnamespace`.execute(database.read);
  return Number(rows[0]?.bytes ?? 0);
}

async function fill(database: Database, files: readonly InventoryFile[]): Promise<void> {
  const deps = { database, clock: systemClock, pathIds: new KnownIds(100_000) };
  for (let layer = 0; layer < layers; layer++)
    await layerInventoryKeep(deps, await layerBlob(database), layerOf(files, layer));
}

async function* layerOf(files: readonly InventoryFile[], layer: number): AsyncGenerator<KeptPart> {
  for (let at = 0; at < files.length; at += partFiles)
    yield {
      kind: 'files',
      files: files.slice(at, at + partFiles).map((file, index) => contentIn(file, at + index, layer)),
    };
  const summary = { state: 'done', uncompressedBytes: 0, entries: files.length, extractions: [] } as const;
  yield { kind: 'summary', summary };
}

/** A fifth of the files change in every layer, a fifth in every other one, a fifth once, the rest never. */
function contentIn(file: InventoryFile, index: number, layer: number): InventoryFile {
  if (file.sha256 === undefined) return file;
  const build = [layer, Math.floor(layer / 2), Math.floor(layer / 3), 0, 0][index % 5] ?? 0;
  if (build === 0) return file;
  return { ...file, sha256: createHash('sha256').update(file.sha256).update(String(build)).digest() };
}
