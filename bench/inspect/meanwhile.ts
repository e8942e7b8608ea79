/**
 * What pushes and pulls lose while layers are inspected: a server with as many workers as it has by default, and a client in
 * a process of its own, in turn without layers to be read and with more of them than can be read meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtLeast } from '../figures.ts';
import { Load } from '../registry/load.ts';
import type { LoadResult, LoadWork } from '../registry/load-jobs.ts';
import { withOwnServer } from '../registry/own.ts';
import { Sides } from '../registry/sides.ts';
import { QueuedLayers } from './queued-layers.ts';

const rounds = 3;
const target = 0.8;
const layers = 16;
const blobBytes = 256 * 2 ** 20;
/** So many blobs, one after another, take some seconds. */
const blobsInRound = 6;
const pollMs = 20;

export async function* measureMeanwhile(options: BenchOptions, layer: Buffer): AsyncGenerator<Figure> {
  const zipped = gzipSync(layer, { level: 6 });
  for (const [name, work] of works) {
    options.say(`${name}, and layers that are inspected meanwhile`);
    const { without, during, read } = await withOwnServer(options, async (server) => {
      await using load = new Load(options.signal);
      using queued = new QueuedLayers(server.data);
      await queued.add(zipped, layers);
      // Awaited here, while the load process is there.
      return await inTurn(new Sides({ ours: server, theirs: '', load }, options), { queued, work, options });
    });
    yield figureAtLeast(target, {
      name: `${name} while layers are inspected`,
      unit: '×',
      samples: during.map((one, round) => one / (without[round] ?? Number.NaN)),
      note:
        `of what they are without, in turn; two workers read ${range(read)} layers of ` +
        `${(layer.length / 1e6).toFixed(0)} MB, in gzip, in a second meanwhile`,
    });
  }
}

type Run = (repository: string, work: LoadWork) => Promise<LoadResult>;

const works: readonly [string, (run: Run, digest: string) => Promise<LoadResult>][] = [
  ['pulls of blobs', (run, digest) => again(() => run('blobs', { kind: 'pulls', digest, connections: 1 }))],
  [
    'pushes of blobs',
    (run) => again(() => run('blobs', { kind: 'pushes', sizeBytes: blobBytes, connections: 1 })),
  ],
  ['pushes of small images', (run) => run('images', { kind: 'images', images: 30, tag: 'one' })],
  [
    'pulls of manifests',
    (run) => run('images', { kind: 'manifests', tag: 'one', connections: 8, forMs: 4_000 }),
  ],
];

interface Turns {
  readonly queued: QueuedLayers;
  readonly work: (run: Run, digest: string) => Promise<LoadResult>;
  readonly options: BenchOptions;
}

async function inTurn(sides: Sides, { queued, work, options: { signal } }: Turns) {
  const run: Run = (repository, asked) => sides.done('ours', repository, asked);
  const { digest } = await run('blobs', { kind: 'pushes', sizeBytes: blobBytes, connections: 1 });
  await run('images', { kind: 'images', images: 1, tag: 'one' });
  const [without, during, read]: [number[], number[], number[]] = [[], [], []];
  const calm = async () => rate(await work(run, digest));
  for (let round = -1; round < rounds; round++) {
    const before = round % 2 === 0 ? await calm() : undefined;
    queued.fill();
    await run('manifests', { kind: 'tags', tags: 1 }); // a commit wakes the server, in a pause of requests
    while (queued.running() < 2) await delay(pollMs, undefined, { signal });
    const left = queued.left();
    const result = await work(run, digest);
    if (queued.left() === 0) throw new Error('the inspection ended before the round did');
    const perSecond = ((left - queued.left()) / result.ms) * 1e3;
    queued.clear();
    await sides.inspected('ours');
    const slow = before ?? (await calm());
    if (round < 0) continue; // it warms up
    without.push(slow);
    during.push(rate(result));
    read.push(perSecond);
  }
  return { without, during, read };
}

async function again(work: () => Promise<LoadResult>): Promise<LoadResult> {
  let sum = await work();
  for (let round = 1; round < blobsInRound; round++) {
    const { count, ms, ...rest } = await work();
    sum = { ...rest, count: sum.count + count, ms: sum.ms + ms };
  }
  return sum;
}

function rate({ count, ms }: LoadResult): number {
  return (count / ms) * 1e3;
}

function range(samples: readonly number[]): string {
  return `${Math.min(...samples).toFixed(1)} to ${Math.max(...samples).toFixed(1)}`;
}
