/**
 * What a second worker adds, on a machine with two cores: the same layers, read by a pool of one worker and by one of two,
 * in turn, without their rows and with them. One connection writes the rows, in the thread that serves requests.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createInspectPool } from '../../src/actions/inspect/pool.ts';
import type { BlobKey } from '../../src/blobs/blob-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { KnownIds } from '../../src/records/inventory/known-ids.ts';
import { layerInventoryKeep } from '../../src/records/inventory/layer-keep.ts';
import type { KeptPart } from '../../src/records/inventory/rows.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast } from '../figures.ts';
import { pieces } from './corpus.ts';
import { layerBlob } from './layer-blob.ts';
import { layersStored, region, storeIn } from './layer-store.ts';

const rounds = 3;
const layersInRound = 6;
const target = 1.7;
const fingerprintKey = { version: 1, key: randomBytes(32) };

export async function* measureWorkers(options: BenchOptions, layer: Buffer): AsyncGenerator<Figure> {
  const { folder, say } = options;
  const database = await openDatabase(
    { kind: 'sqlite', file: join(folder, 'workers.sqlite') },
    { region, clock: systemClock },
  );
  try {
    const config = storeIn(join(folder, 'workers'));
    const sources = [pieces(layer), pieces(gzipSync(layer, { level: 6 }))];
    const [plain = '', zipped = ''] = await layersStored(config, sources);
    const of = `${layersInRound} times the layer of ${(layer.length / 1e6).toFixed(0)} MB in a round, without a server beside`;
    say('one worker and two');
    const read = (key: BlobKey) => inTurn(options, { config, key, take: drained });
    yield ratio('two workers against one, gzip', await read(zipped), of, target);
    yield ratio('two workers against one, uncompressed', await read(plain), of, target);
    const take = (parts: AsyncIterable<KeptPart>) => kept(database, parts);
    const note = `with the rows, which one thread writes into SQLite, beside the workers; ${of}`;
    yield ratio(
      'two workers against one, with rows',
      await inTurn(options, { config, key: zipped, take }),
      note,
    );
  } finally {
    await database.close();
  }
}

interface Reading {
  readonly config: ReturnType<typeof storeIn>;
  readonly key: BlobKey;
  readonly take: (parts: AsyncIterable<KeptPart>) => Promise<unknown>;
}

interface Took {
  readonly ms: number;
  /** Of the whole process. */
  readonly cpuMs: number;
}

/** By number of workers. */
async function inTurn({ signal }: BenchOptions, reading: Reading): Promise<Record<1 | 2, Took[]>> {
  const took: Record<1 | 2, Took[]> = { 1: [], 2: [] };
  for (let round = -1; round < rounds; round++)
    for (const size of round % 2 === 0 ? ([1, 2] as const) : ([2, 1] as const)) {
      signal.throwIfAborted();
      const one = await readAll(size, reading);
      if (round >= 0) took[size].push(one); // the first warms up
    }
  return took;
}

async function readAll(size: number, { config, key, take }: Reading): Promise<Took> {
  const pool = createInspectPool({ size, blobStore: config, region, clock: systemClock });
  const inspect = () => take(pool.inspect(key, { fingerprintKey }));
  try {
    // The threads are there, and have read a layer.
    await Promise.all(Array.from({ length: size }, inspect));
    const [beganMs, cpu] = [performance.now(), process.cpuUsage()];
    await Promise.all(Array.from({ length: layersInRound }, inspect));
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - beganMs, cpuMs: (user + system) / 1e3 };
  } finally {
    await pool.close();
  }
}

function ratio(name: string, took: Record<1 | 2, Took[]>, note: string, atLeast?: number): Figure {
  const seconds = (size: 1 | 2, of: keyof Took) =>
    `${(Math.min(...took[size].map((one) => one[of])) / 1e3).toFixed(1)} s`;
  const measured = {
    name,
    unit: '×',
    samples: took[1].map(({ ms }, round) => ms / (took[2][round]?.ms ?? Number.NaN)),
    note:
      `one took ${seconds(1, 'ms')} and ${seconds(1, 'cpuMs')} of processors, two ${seconds(2, 'ms')} and ` +
      `${seconds(2, 'cpuMs')}, at best; ${note}`,
  };
  return atLeast === undefined ? figure(measured) : figureAtLeast(atLeast, measured);
}

async function drained(parts: AsyncIterable<KeptPart>): Promise<void> {
  for await (const _ of parts);
}

async function kept(database: Database, parts: AsyncIterable<KeptPart>): Promise<void> {
  const deps = { database, clock: systemClock, pathIds };
  await layerInventoryKeep(deps, await layerBlob(database), parts);
}

const pathIds = new KnownIds(100_000);
