/**
 * How fast a server collects when nobody pushes or pulls: files of 4 KiB that nothing needs any more and whose grace is
 * over, from the request to collect until nothing is left. Each round in the server with few blobs, then in the one with
 * a million.
 */
import { call } from '../../src/client/client.ts';
import { gcRun } from '../../src/contract/collection.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtLeast, figureAtMost } from '../figures.ts';
import { largeBlobs, type Seeded, type Sizes } from './collect.ts';

const rounds = 5;
const strays = 5_000;
const strayBytes = 4_096;
const perSecond = 1_000;
/** A rate that is a fifth less takes a quarter longer. */
const slower = 1.25;

export async function* measureRate({ say, signal }: BenchOptions, sizes: Sizes): AsyncGenerator<Figure> {
  say(`collection: ${rounds} times ${strays} blobs, in either server`);
  const taken: Record<keyof Sizes, number[]> = { small: [], large: [] };
  for (let round = -1; round < rounds; round++)
    for (const size of ['small', 'large'] as const) {
      const ms = await collected(sizes[size], signal);
      if (round >= 0) taken[size].push(ms); // the first warms up
    }
  const note =
    `blobs of ${strayBytes} bytes, nobody pushes or pulls; from POST /api/v1/gc until it finds nothing: ` +
    'decided, condemned, deleted and flushed, forgotten';
  yield figureAtLeast(perSecond, {
    name: 'collection on the file system',
    unit: 'blobs/s',
    samples: taken.small.map((ms) => (strays / ms) * 1000),
    note: `${strays} ${note}`,
  });
  yield figureAtLeast(perSecond, {
    name: 'collection, with 1,000,000 blobs',
    unit: 'blobs/s',
    samples: taken.large.map((ms) => (strays / ms) * 1000),
    note: `the same beside ${largeBlobs.toLocaleString('en')} blobs that stay`,
  });
  yield figureAtMost(slower, {
    name: 'time of it, with 1,000,000 blobs',
    unit: '×',
    samples: taken.large.map((ms, round) => ms / (taken.small[round] ?? Number.NaN)),
    note: 'against the server with few blobs, in turn; 1.25 is a rate that is 20 % less',
  });
}

/** @returns how long it took, in milliseconds */
async function collected({ server, rows }: Seeded, signal: AbortSignal): Promise<number> {
  await rows.strays(strays, strayBytes);
  const client = { url: server.url, credentials: server.admin };
  const beganMs = performance.now();
  let sum = 0;
  for (let last = 1; last > 0; ) {
    const done = await call(client, gcRun, {}, { signal });
    last = done.condemned + done.collected;
    sum += done.condemned;
  }
  const ms = performance.now() - beganMs;
  // The server's own task may have taken a part.
  if (rows.waiting() > 0 || sum > strays) throw new Error(`${rows.waiting()} blobs were left over`);
  return ms;
}
