import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { withFreshServer } from '../one-server.ts';

const rounds = 9;
const targetMs = 1_000;

/** From the making of the process to ready, each time with an empty data folder: tables, keys and admin are made. */
export async function* measureStartUp(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`start-up: ${rounds} fresh servers`);
  const warmUp = await withFreshServer(options, async ({ readyMs }) => readyMs);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    samples.push(await withFreshServer(options, async ({ readyMs }) => readyMs));
  yield figureAtMost(targetMs, {
    name: 'start-up to ready',
    unit: 'ms',
    samples,
    note:
      'from spawning `lazaret serve` with an empty data folder to the first 200 of /readyz, from source; ' +
      `one start before, which fills the cache of compiled sources if it is empty, took ${Math.round(warmUp)}`,
  });
}
