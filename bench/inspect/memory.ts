/** What a worker takes of memory for layers that are large, or made to hurt, each in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createGzip, createZstdCompress } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { checked } from '../../src/contract/check.ts';
import { hugeFile, manyFiles, tarEnd } from '../../test/support/made-tars.ts';
import { zipOf } from '../../test/support/zip.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { pieces } from './corpus.ts';
import { layersStored, storeIn } from './layer-store.ts';

const [MiB, GiB] = [2 ** 20, 2 ** 30];
const targetMb = 200;
const largeBytes = 4e9;

const Answer = Type.Object({
  aboveMb: Type.Number(),
  ms: Type.Number(),
  cpuMs: Type.Number(),
  state: Type.String(),
  reason: Type.String(),
});

export async function* measureMemory(options: BenchOptions, layer: Buffer): AsyncGenerator<Figure> {
  const folder = join(options.folder, 'memory');
  for (const [name, make] of layersFor(layer)) {
    options.signal.throwIfAborted();
    options.say(`memory: a layer ${name}`);
    const [key = ''] = await layersStored(storeIn(folder), [make()]);
    const { aboveMb, ms, cpuMs, state, reason } = await read(folder, key, options.signal);
    await rm(folder, { recursive: true });
    yield figureAtMost(targetMb, {
      name: `memory, a layer ${name}`,
      unit: 'MB',
      samples: [aboveMb],
      note:
        `the most that a process with one worker had above what it had before; in ` +
        `${(ms / 1e3).toFixed(1)} s, ${(cpuMs / 1e3).toFixed(1)} s of processors; ${state}${reason === '' ? '' : `: ${reason}`}`,
    });
  }
}

function layersFor(layer: Buffer): [string, () => AsyncIterable<Uint8Array>][] {
  const status = 'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n';
  const repeated = (text: string) => Buffer.from(text.repeat(Math.ceil(MiB / text.length)));
  const zeros = () => Readable.from(hugeFile('zeros', 4 * GiB, Buffer.alloc(MiB)));
  return [
    ['of 4 GB', () => times(layer, Math.ceil(largeBytes / layer.length))],
    ['of 1,000,000 files', () => manyFiles(1_000_000, 100)],
    ['that is a gzip bomb', () => zeros().pipe(createGzip({ level: 9 }))],
    ['that is a zstd bomb', () => zeros().pipe(createZstdCompress())],
    ['with jars 100 deep', () => hugeFile('opt/deep.jar', deepJar.length, deepJar)],
    ['with a dpkg database of 1 GB', () => hugeFile('var/lib/dpkg/status', GiB, repeated(status))],
    ['with a package.json of 200 MB', () => hugeFile(packageJson, 200 * MiB, repeated('{"name":"a"}'))],
    ['with JSON 1,000,000 deep', () => hugeFile(packageJson, deepJson.length, deepJson)],
    ['of 10,000,000 empty files', () => manyFiles(10_000_000, 0)],
  ];
}

const packageJson = 'node_modules/a/package.json';
const deepJson = Buffer.from(`{"name":"a","version":"1","x":${'['.repeat(1e6)}${']'.repeat(1e6)}}`);
const deepJar = Array.from({ length: 100 }).reduce<Buffer>(
  (inner, _, depth) => zipOf([{ name: `${depth}.jar`, bytes: inner }]),
  zipOf([{ name: 'A.class', text: 'class' }]),
);

/** A tar after itself, each without its end. */
async function* times(tar: Buffer, count: number): AsyncGenerator<Uint8Array> {
  let end = tar.length;
  while (end > 0 && tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  for (let round = 0; round < count; round++) yield* pieces(tar.subarray(0, end));
  yield tarEnd;
}

async function read(folder: string, key: string, signal: AbortSignal): Promise<Static<typeof Answer>> {
  const child = fork(fileURLToPath(new URL('./memory-process.ts', import.meta.url)), [folder, key], {
    signal,
  });
  const ended = once(child, 'exit');
  const [answer]: unknown[] = await Promise.race([
    once(child, 'message'),
    ended.then(() => [`the process that reads a layer ended by itself`]),
  ]);
  await ended;
  return checked(Answer, answer, { where: 'memory' });
}
