import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { scan as answer } from '../../src/actions/scan/scan.ts';
import type { Criteria } from '../../src/criteria/criteria.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { needle, spreads } from './needles.ts';
import { type InventorySize, seedInventory } from './seeded-inventory.ts';

const sizes: Readonly<Record<string, InventorySize>> = {
  tiny: {
    images: 100,
    layersPerImage: 10,
    packagesPerImage: 60,
    filesPerLayer: 20,
    distinctPackages: 2_000,
    advisories: 500,
  },
  '1000': {
    images: 1_000,
    layersPerImage: 10,
    packagesPerImage: 300,
    filesPerLayer: 500,
    distinctPackages: 30_000,
    advisories: 50_000,
  },
  '10000': {
    images: 10_000,
    layersPerImage: 10,
    packagesPerImage: 300,
    filesPerLayer: 500,
    distinctPackages: 100_000,
    advisories: 500_000,
  },
  '10000-few-files': {
    images: 10_000,
    layersPerImage: 10,
    packagesPerImage: 300,
    filesPerLayer: 50,
    distinctPackages: 100_000,
    advisories: 500_000,
  },
};

export const scan: Benchmark = {
  name: 'scan',
  summary:
    'how long the first 50 images of an answer take, over a seeded inventory of 1,000 images (--only 10000 or 10000-few-files for more)',
  measure,
  parts: ['1000', '10000', '10000-few-files'],
};

async function* measure(options: BenchOptions): AsyncGenerator<Figure> {
  const size = sizes[options.tiny ? 'tiny' : (options.only ?? '1000')];
  if (!size) throw new Error(`no inventory of the size '${options.only}'`);
  const file = join(options.folder, 'metadata.sqlite');
  const opened = () => openDatabase({ kind: 'sqlite', file }, { region: 'bench', clock: systemClock });
  await (await opened()).close();
  seedInventory(file, size, options.say);
  yield {
    name: 'metadata store, SQLite',
    value: Math.round((await stat(file)).size / size.images / 1_000),
    unit: 'kB/image',
    target: null,
    holds: null,
    note: shapeText(size),
  };
  const database = await opened();
  try {
    for (const question of questions(size)) {
      options.signal.throwIfAborted();
      yield* timed(database, question, options.tiny ? 2 : 30);
    }
  } finally {
    await database.close();
  }
}

function shapeText(size: InventorySize): string {
  const count = (n: number) => n.toLocaleString('en');
  const layers = size.images * (size.layersPerImage - 4) + 80;
  return `${count(size.images)} images, ${count(layers)} layers, ${count(size.images * size.packagesPerImage)} packages in images, ${count(layers * size.filesPerLayer)} file rows, ${count(size.advisories)} advisories`;
}

interface Question {
  readonly name: string;
  readonly criteria: Criteria;
  /** p99, in milliseconds. */
  readonly target: number;
}

function questions({ images }: InventorySize): readonly Question[] {
  const sized = spreads.flatMap((spread) => {
    const { purl, advisory, sha256, secret, licence } = needle(spread);
    const of = { one: '1 image', some: `${Math.ceil(images / 100)} images`, all: `${images} images` }[spread];
    return [
      { name: `advisory, ${of}`, criteria: { advisory: { id: advisory } }, target: 50 },
      { name: `package range, ${of}`, criteria: { package: { purl, versions: '<2' } }, target: 50 },
      { name: `file hash, ${of}`, criteria: { file: { sha256 } }, target: 50 },
      { name: `secret, ${of}`, criteria: { secret: { kind: secret } }, target: 50 },
      { name: `licence, ${of}`, criteria: { license: { anyOf: [licence] } }, target: 50 },
    ];
  });
  return [
    ...sized,
    {
      name: 'critical and fixable, by severity',
      criteria: { advisory: { severity: 'critical', fixed: true } },
      target: 100,
    },
    {
      name: 'image: pushed by a glob, in a glob',
      criteria: { image: { pushedBy: 'ci-*', repository: 'bench/team-1/**' } },
      target: 50,
    },
    { name: 'file by name', criteria: { file: { path: '**/file-7-777.js' } }, target: 2_000 },
    {
      name: 'file by a glob without prefix or name',
      criteria: { file: { path: '**/*-7-77?.js' } },
      target: 2_000,
    },
    {
      name: 'package by a glob of its name',
      criteria: { package: { type: 'npm', name: '*-123*' } },
      target: 2_000,
    },
  ];
}

async function* timed(
  database: Database,
  { name, criteria, target }: Question,
  rounds: number,
): AsyncGenerator<Figure> {
  const samples: number[] = [];
  const cpuMs: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let counts = '';
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) delay.enable(); // the first one warms up
    const startedMs = performance.now();
    const before = process.cpuUsage();
    const { counts: found } = await answer(
      { database, clock: systemClock },
      { criteria, scope: {}, requestedBy: 'bench' },
    );
    if (round > 0) {
      samples.push(performance.now() - startedMs);
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1_000);
    }
    counts = `${found.match} match, ${found.unknown} unknown`;
  }
  delay.disable();
  const quantile = (of: readonly number[], part: number) => {
    const sorted = of.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  };
  const p = (part: number) => quantile(samples, part);
  const value = Number(p(0.99).toPrecision(3));
  yield {
    name: `${name}, p99`,
    value,
    unit: 'ms',
    target,
    holds: value <= target,
    note: `p50 ${p(0.5).toPrecision(3)} ms, min ${p(0).toPrecision(3)} ms of ${rounds}, of processor time p50 ${quantile(cpuMs, 0.5).toPrecision(3)} ms; ${counts}; event loop held for at most ${(delay.max / 1e6).toFixed(0)} ms`,
  };
}
