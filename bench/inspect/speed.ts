/** How fast one layer of real files is read with every extractor, in this thread, and how fast its rows are written. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Decompression } from '../../src/layers/decompress.ts';
import { extractors } from '../../src/layers/extractors/list.ts';
import { layerLimits } from '../../src/layers/layer-problem.ts';
import { readLayerParts } from '../../src/layers/read-layer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { KnownIds } from '../../src/records/inventory/known-ids.ts';
import { layerInventoryKeep } from '../../src/records/inventory/layer-keep.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast, figureAtMost } from '../figures.ts';
import { pieces } from './corpus.ts';
import { layerBlob } from './layer-blob.ts';

const rounds = 5;
const fingerprintKey = { version: 1, key: randomBytes(32) };

export async function* measureSpeed(options: BenchOptions, layer: Buffer): AsyncGenerator<Figure> {
  const megabytes = layer.length / 1e6;
  const zipped = gzipSync(layer, { level: 6 });
  const database = await openDatabase(
    { kind: 'sqlite', file: join(options.folder, 'speed.sqlite') },
    { region: 'bench', clock: systemClock },
  );
  try {
    const plainMs: number[] = [];
    const zippedMs: number[] = [];
    const gunzipMs: number[] = [];
    const rowsMs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      options.signal.throwIfAborted();
      const times = [
        await timed(() => drained(partsOf(layer))),
        await timed(() => drained(partsOf(zipped))),
        await timed(() => drained(new Decompression(pieces(zipped), layerLimits))),
        await timed(() => kept(database, layer)),
      ];
      // The first one warms up.
      if (round > 0)
        for (const [at, list] of [plainMs, zippedMs, gunzipMs, rowsMs].entries()) list.push(times[at] ?? 0);
    }
    const of = `a tar of ${megabytes.toFixed(0)} MB of this machine's files, in one thread, with ${extractors.length} extractors, secrets and every hash`;
    yield figureAtLeast(120, {
      name: 'inspection',
      unit: 'MB/s',
      samples: plainMs.map((ms) => (megabytes / ms) * 1e3),
      note: of,
    });
    yield figure({
      name: 'inspection of the same in gzip',
      unit: 'MB/s',
      samples: zippedMs.map((ms) => (megabytes / ms) * 1e3),
      note: `of uncompressed bytes; ${of}`,
    });
    yield figure({
      name: "gzip's share of it",
      unit: '%',
      samples: zippedMs.map((ms, round) => ((gunzipMs[round] ?? 0) / ms) * 100),
      note: 'the time that decompressing the same alone takes, against the whole',
    });
    yield figureAtMost(1_500, {
      name: 'inspection with its rows',
      unit: 'ms',
      samples: rowsMs.map((ms) => (ms * 170) / megabytes),
      note: `per 170 MB; from the first byte to the last row in SQLite, in one thread, the paths being known from the first round; ${of}`,
    });
  } finally {
    await database.close();
  }
}

function partsOf(layer: Buffer) {
  return readLayerParts(pieces(layer), { extractors, clock: systemClock, fingerprintKey });
}

async function kept(database: Database, layer: Buffer): Promise<void> {
  const deps = { database, clock: systemClock, pathIds: new KnownIds(100_000) };
  await layerInventoryKeep(deps, await layerBlob(database), partsOf(layer));
}

async function drained(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of parts);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
