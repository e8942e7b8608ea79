/**
 * From the request that applies a plan to the answer that acknowledges it: what the plan showed is read again, and the
 * mark, its event and its note in the blob store are written and flushed. Each base is marked once.
 */
import { call } from '../../src/client/client.ts';
import { planApply, planCreate } from '../../src/contract/quarantines.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtMost } from '../figures.ts';
import { largeBlobs, type Seeded, type Sizes } from './collect.ts';

const rounds = 7;
const images = 1_000;
const manyImages = 10_000;
const targetMs = 50;
const slower = 1.2;

export async function* measureMarks({ say, signal }: BenchOptions, sizes: Sizes): AsyncGenerator<Figure> {
  say(`marks: ${rounds} layers under ${images} images, in either server`);
  const taken: Record<keyof Sizes, number[]> = { small: [], large: [] };
  for (let round = -1; round < rounds; round++)
    for (const size of ['small', 'large'] as const) {
      const { applyMs } = await marked(sizes[size], images, signal);
      if (round >= 0) taken[size].push(applyMs); // the first warms up
    }
  const note = `a layer under ${images} images, marked by its digest; from the request to apply the plan to its answer`;
  const unit = 'ms';
  yield figureAtMost(targetMs, { name: 'mark under 1,000 images', unit, samples: taken.small, note });
  const name = 'mark under 1,000 images, with 1,000,000 blobs';
  const beside = `the same beside ${largeBlobs.toLocaleString('en')} blobs`;
  yield figureAtMost(targetMs, { name, unit, samples: taken.large, note: beside });
  yield figureAtMost(slower, {
    name: 'time of it, with 1,000,000 blobs',
    unit: '×',
    samples: taken.large.map((ms, round) => ms / (taken.small[round] ?? Number.NaN)),
    note: 'against the server with few blobs, in turn',
  });
  const many = [];
  for (let round = 0; round < rounds; round++) many.push(await marked(sizes.small, manyImages, signal));
  const planMs = many.map((each) => Math.round(each.planMs));
  yield figure({
    name: 'mark under 10,000 images',
    unit,
    samples: many.map((each) => each.applyMs),
    note: `one row and one event each; its plan took ${Math.min(...planMs)} to ${Math.max(...planMs)} ms`,
  });
}

async function marked({ server, rows }: Seeded, above: number, signal: AbortSignal) {
  const client = { url: server.url, credentials: server.admin };
  const layer = await rows.base(above);
  const beganMs = performance.now();
  const plan = await call(client, planCreate, { body: { targets: { layers: [layer] } } }, { signal });
  const plannedMs = performance.now();
  if (plan.radius.images.length !== above)
    throw new Error(`${plan.name} reaches ${plan.radius.images.length} images, not ${above}`);
  const input = { params: { name: plan.name }, body: { reason: 'a measurement' } };
  const { name } = await call(client, planApply, input, { signal });
  const applyMs = performance.now() - plannedMs;
  const written = rows.written(name);
  if (written.marks !== 1 || written.events !== 1)
    throw new Error(`${name} is ${written.marks} marks and ${written.events} events, not one of each`);
  return { planMs: plannedMs - beganMs, applyMs };
}
