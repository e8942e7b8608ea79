/** What is measured at our server alone. */
import { join } from 'node:path';
import { call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { SeededRows } from '../collect/seeded-rows.ts';
import { figureAtMost } from '../figures.ts';
import { type OneServer, withFreshServer } from '../one-server.ts';
import { processMemory } from '../process-memory.ts';
import { Load } from './load.ts';
import { Sides } from './sides.ts';
import { fullSizes, tinySizes } from './sizes.ts';

const connections = 8;
const memoryTargetMb = 300;
const readyTargetMs = 1_000;

/** A fresh server with the account that everything is pushed to. */
export function withOwnServer<T>(
  options: BenchOptions,
  work: (server: OneServer) => Promise<T>,
  { name = 'lazaret', settings = {} }: { name?: string; settings?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  const { signal } = options;
  const prepared = async (server: OneServer) => {
    const client = { url: server.url, credentials: server.admin };
    await call(client, accountCreate, { body: { name: 'bench' } }, { signal });
    return work(server);
  };
  return withFreshServer({ folder: join(options.folder, name), signal }, prepared, settings);
}

export async function* measureMemory(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`memory under ${connections} pushes of 1 GB at once`);
  const memory = await withOwnServer(options, async (server) => {
    await using load = new Load(options.signal);
    const sides = new Sides({ ours: server, theirs: '', load }, options);
    const sizeBytes = sides.sizes.largeBytes;
    await sides.done('ours', 'pushes', { kind: 'pushes', sizeBytes, connections });
    return processMemory(server.pid);
  });
  yield figureAtMost(memoryTargetMb, {
    name: 'memory under 8 pushes of 1 GB',
    unit: 'MB',
    samples: [memory.peakMb],
    note:
      `the most that was ever resident in a fresh server that took ${connections} blobs of 2³⁰ bytes at once; ` +
      `${Math.round(memory.residentMb)} MB right after them, ${Math.round(memory.fileMb)} MB of it pages of files`,
  });
}

export async function* measureStartUp(options: BenchOptions): AsyncGenerator<Figure> {
  const { blobsInStore, rounds } = options.tiny ? tinySizes : fullSizes;
  const samples = await withOwnServer(options, async (server) => {
    options.say(
      `start-up; ${blobsInStore.toLocaleString('en')} blobs are written into the metadata store first`,
    );
    using rows = new SeededRows(server.data);
    await rows.blobs(blobsInStore);
    await server.startAgain(); // warms up
    const readyMs: number[] = [];
    for (let round = 0; round < rounds; round++) readyMs.push(await server.startAgain());
    return readyMs;
  });
  yield figureAtMost(readyTargetMs, {
    name: 'start-up with 1,000,000 blobs',
    unit: 'ms',
    samples,
    note: 'from spawning `lazaret serve` to the first 200 of /readyz, from source; the blobs are rows of 100,000 images',
  });
}
