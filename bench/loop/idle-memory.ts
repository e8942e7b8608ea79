import { setTimeout as delay } from 'node:timers/promises';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { withFreshServer } from '../one-server.ts';
import { processMemory } from '../process-memory.ts';

const rounds = 3;
const idleMs = 10_000;
const targetMb = 190;

export async function* measureIdleMemory(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`idle memory: ${rounds} servers, ${idleMs / 1000} s each`);
  const samples: number[] = [];
  let fileMb = 0;
  for (let round = 0; round < rounds; round += 1)
    await withFreshServer(options, async ({ pid }) => {
      await delay(idleMs, undefined, { signal: options.signal });
      const memory = await processMemory(pid);
      samples.push(memory.residentMb);
      fileMb = memory.fileMb;
    });
  yield figureAtMost(targetMb, {
    name: 'idle memory of a server',
    unit: 'MB',
    samples,
    note:
      `resident set ${idleMs / 1000} s after ready, from source, nothing asked of it yet; ` +
      `${Math.round(fileMb)} MB of it are pages of files, which processes share`,
  });
}
