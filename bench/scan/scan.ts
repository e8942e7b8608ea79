import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { scanLive } from '../../src/actions/scan/live.ts';
import { scan as answer, type ScanRequest } from '../../src/actions/scan/scan.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { type DatabaseConfig, openDatabase } from '../../src/records/db/drivers.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { copyInventory } from './copied-inventory.ts';
import { LoopWatch } from './loop-watch.ts';
import { type Question, questions } from './questions.ts';
import { seedInventory } from './seeded-inventory.ts';
import { shape } from './shape.ts';
import {
  type InventorySize,
  layersOf,
  onPostgres,
  shapeText,
  sizes,
  tenThousandFewFiles,
  tenthOf,
  tiny,
} from './sizes.ts';
import { trivy } from './trivy.ts';
import { wholeAnswer } from './whole-answer.ts';

export const scan: Benchmark = {
  name: 'scan',
  summary:
    'how long the first 50 images of an answer take, over a seeded inventory of 1,000 images (--only for more, on PostgreSQL, for growth, their shape beside that of real images, or Trivy beside it)',
  measure,
  parts: [
    ...Object.keys(sizes),
    ...Object.keys(sizes).map((name) => name + onPostgres),
    'growth',
    'shape',
    'trivy',
  ],
};

async function* measure(options: BenchOptions): AsyncGenerator<Figure> {
  const part = options.only ?? '1000';
  if (part === 'growth') return yield* growth(options);
  if (part === 'trivy') return yield* trivy(options);
  if (part === 'shape') return yield* shapeBeside(options);
  const size = options.tiny ? tiny : sizes[part.replace(onPostgres, '')];
  if (!size) throw new Error(`no inventory of the size '${part}'`);
  const file = await seeded(options, size, 'metadata');
  if (part.endsWith(onPostgres)) return yield* measureOnPostgres(options, { file, size });
  yield* storeFigures((await stat(file)).size, { size, engine: 'SQLite' });
  yield* measureAll({ kind: 'sqlite', file }, options);
}

async function* measureOnPostgres(
  options: BenchOptions,
  { file, size }: { readonly file: string; readonly size: InventorySize },
): AsyncGenerator<Figure> {
  const server = await startPostgres();
  try {
    const config: DatabaseConfig = { kind: 'postgres', url: server.url };
    await (await opened(config)).close();
    await copyInventory(file, server.url, options);
    yield* storeFigures(await postgresBytes(server.url), { size, engine: 'PostgreSQL' });
    yield* measureAll(config, options);
  } finally {
    await server.stop();
  }
}

async function* measureAll(config: DatabaseConfig, options: BenchOptions): AsyncGenerator<Figure> {
  const database = await opened(config);
  const held: number[] = [];
  try {
    for (const question of questions()) {
      options.signal.throwIfAborted();
      const asked = await ask(database, question, options.tiny ? 2 : 30);
      held.push(asked.heldMs);
      yield* figuresOf(question, asked);
    }
    for (const question of questions().filter(({ whole }) => whole))
      yield* wholeAnswer(database, question, { rounds: options.tiny ? 1 : 3, signal: options.signal });
  } finally {
    await database.close();
  }
  const value = rounded(Math.max(...held));
  yield {
    name: 'event loop held',
    ...{ value, unit: 'ms', target: 20, holds: value <= 20 },
    note: 'the longest stretch of this thread’s processor time without a turn of its event loop, over all questions',
  };
}

async function* shapeBeside(options: BenchOptions): AsyncGenerator<Figure> {
  const size = options.tiny ? tiny : sizes['1000'];
  if (!size) throw new Error('there is a size of 1,000 images');
  const file = await seeded(options, size, 'made-up');
  yield* shape(options, { file, text: shapeText(size) });
}

/** What ten times the images do to the processor time of a question, everything else being the same. */
async function* growth(options: BenchOptions): AsyncGenerator<Figure> {
  const size = options.tiny ? tiny : tenThousandFewFiles;
  const files = [
    await seeded(options, tenthOf(size), 'tenth'),
    await seeded(options, size, 'whole'),
  ] as const;
  const [small, large] = await Promise.all(files.map((file) => opened({ kind: 'sqlite', file })));
  if (!small || !large) throw new Error('both were opened');
  try {
    for (const question of questions()) {
      options.signal.throwIfAborted();
      const [few, many] = [await ask(small, question, 20), await ask(large, question, 20)];
      const [from, to] = [quantile(few.cpuMs, 0.5), quantile(many.cpuMs, 0.5)];
      const value = rounded(to / from);
      yield {
        name: `growth: ${question.name}`,
        ...(question.grows
          ? { value, unit: '×', target: null, holds: null }
          : { value, unit: '×', target: 1.5, holds: value <= 1.5 }),
        note: `processor time p50 ${rounded(from)} ms at ${size.images / 10} images (${few.counts}), ${rounded(to)} ms at ${size.images} (${many.counts})`,
      };
    }
  } finally {
    await Promise.all([small.close(), large.close()]);
  }
}

async function seeded({ folder, say }: BenchOptions, size: InventorySize, name: string): Promise<string> {
  const file = join(folder, `${name}.sqlite`);
  await (await opened({ kind: 'sqlite', file })).close();
  seedInventory(file, size, say);
  return file;
}

function opened(config: DatabaseConfig): Promise<Database> {
  return openDatabase(config, { region: 'bench', clock: systemClock });
}

async function postgresBytes(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    );
    return Number(rows[0]?.bytes);
  } finally {
    await client.end();
  }
}

function* storeFigures(
  bytes: number,
  { size, engine }: { readonly size: InventorySize; readonly engine: string },
): Generator<Figure> {
  const kb = (count: number) => rounded(bytes / count / 1_000);
  const rest = { target: null, holds: null };
  yield {
    ...{ name: `metadata store, ${engine}`, value: kb(size.images), unit: 'kB/image', ...rest },
    note: shapeText(size),
  };
  yield {
    ...{ name: `metadata store, ${engine}`, value: kb(layersOf(size)), unit: 'kB/layer', ...rest },
    note: 'the same store, over its distinct layers',
  };
}

/** A server that runs has planned its questions: PostgreSQL plans each anew for its first five uses on each connection. */
const warmRounds = 15;

interface Asked {
  readonly wallMs: readonly number[];
  readonly cpuMs: readonly number[];
  readonly heldMs: number;
  readonly counts: string;
}

async function ask(database: Database, { criteria, sorted }: Question, rounds: number): Promise<Asked> {
  const request = { criteria, scope: {}, requestedBy: 'bench' };
  const once = () => (sorted ? firstPage(database, request) : firstFound(database, request));
  for (let warm = 0; warm < Math.min(warmRounds, rounds); warm++) await once();
  const [wallMs, cpuMs]: [number[], number[]] = [[], []];
  let counts = '';
  const watch = new LoopWatch();
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    const before = process.cpuUsage();
    const found = await once();
    wallMs.push(performance.now() - startedMs);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1_000);
    counts = found;
  }
  return { wallMs, cpuMs, heldMs: watch.end(), counts };
}

/** Of all that there are, in their order. */
async function firstPage(database: Database, request: ScanRequest): Promise<string> {
  const { counts } = await answer({ database, clock: systemClock }, request);
  return `${counts.match} match, ${counts.unknown} unknown`;
}

/** Of the answer that comes while it is found: the first 50 images, or all, and how many there are, up to 1,001. */
async function firstFound(database: Database, request: ScanRequest): Promise<string> {
  let images = 0;
  for await (const line of scanLive({ database, clock: systemClock }, request)) {
    if ('image' in line) images += 1;
    if ('matchAtLeast' in line) return `${images} shown of at least ${line.matchAtLeast}`;
    if ('answer' in line) return `${line.answer.counts.match} match, ${line.answer.counts.unknown} unknown`;
  }
  throw new Error('the last line is the answer');
}

function* figuresOf(
  { name, p50, p99 }: Question,
  { wallMs, cpuMs, heldMs, counts }: Asked,
): Generator<Figure> {
  const note = `min ${rounded(quantile(wallMs, 0))} ms of ${wallMs.length}, of processor time in this process p50 ${rounded(quantile(cpuMs, 0.5))} ms; ${counts}; event loop held for at most ${rounded(heldMs)} ms`;
  const figureAt = (part: number, target: number | null, text: string): Figure => {
    const value = rounded(quantile(wallMs, part));
    const holds = target === null ? null : value <= target;
    return { name: `${name}, p${part * 100}`, value, unit: 'ms', target, holds, note: text };
  };
  yield figureAt(0.5, p50, counts);
  yield figureAt(0.99, p99, note);
}

function quantile(of: readonly number[], part: number): number {
  const sorted = of.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
