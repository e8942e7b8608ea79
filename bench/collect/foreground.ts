/**
 * What pushes and pulls feel of a collection. One client pushes and two pull without a pause, for a few seconds while the
 * collector has nothing to do and for a few while more is due than it can take in that time; which comes first changes
 * with each round.
 */
import { call } from '../../src/client/client.ts';
import { gcRun } from '../../src/contract/collection.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtMost } from '../figures.ts';
import { Clients, type Durations } from './clients.ts';
import type { Seeded, Sizes } from './collect.ts';

const rounds = 8;
const roundMs = 5_000;
const strays = 3_000;
const strayBytes = 4_096;
const target = 1.25;

export async function* measureForeground(
  { say, signal }: BenchOptions,
  { small }: Sizes,
): AsyncGenerator<Figure> {
  say(`pushes and pulls: ${rounds} rounds of ${roundMs / 1000} s without a collection, and during one`);
  const clients = new Clients(small.server, signal);
  await clients.logIn();
  await clients.push();
  await clients.storm(roundMs); // warms up
  const without: Durations[] = [];
  const during: Durations[] = [];
  const collected: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const calm = async () => void without.push(await clients.storm(roundMs));
    const collecting = async () => {
      const { durations, perSecond } = await whileCollecting(small, clients, signal);
      during.push(durations);
      collected.push(perSecond);
    };
    for (const side of round % 2 === 0 ? [calm, collecting] : [collecting, calm]) await side();
  }
  for (const kind of ['push', 'pull'] as const) {
    const calmP99 = without.map((each) => percentile(each[kind], 0.99));
    const p99 = during.map((each) => percentile(each[kind], 0.99));
    const counts = during.map((each) => each[kind].length);
    yield figureAtMost(target, {
      name: `p99 of a ${kind} during a collection`,
      unit: '×',
      samples: p99.map((ms, round) => ms / (calmP99[round] ?? Number.NaN)),
      note:
        `against the same without one, in turn: p99 ${range(calmP99)} ms without, ${range(p99)} ms during; all rounds ` +
        `taken together ${pooled(during, kind).toFixed(2)} against ${pooled(without, kind).toFixed(2)} ms; ` +
        `${Math.min(...counts)} or more in a round`,
    });
  }
  yield figure({
    name: 'collection meanwhile',
    unit: 'blobs/s',
    samples: collected,
    note: 'it rests before each step while anybody pushes or pulls, and never stands still',
  });
}

async function whileCollecting({ server, rows }: Seeded, clients: Clients, signal: AbortSignal) {
  await rows.strays(strays, strayBytes);
  const before = rows.waiting();
  const durations = await clients.storm(roundMs);
  const left = rows.waiting();
  if (left === 0) throw new Error('the collection ended before the round did');
  // Nobody waits now: the rest goes at full speed.
  const client = { url: server.url, credentials: server.admin };
  for (let last = 1; last > 0; ) {
    const done = await call(client, gcRun, {}, { signal });
    last = done.condemned + done.collected;
  }
  return { durations, perSecond: ((before - left) / roundMs) * 1000 };
}

function pooled(sides: readonly Durations[], kind: keyof Durations): number {
  return percentile(
    sides.flatMap((side) => side[kind]),
    0.99,
  );
}

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function range(samples: readonly number[]): string {
  return `${Math.min(...samples).toFixed(1)} to ${Math.max(...samples).toFixed(1)}`;
}
