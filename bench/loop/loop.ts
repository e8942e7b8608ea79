import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { measureIdleMemory } from './idle-memory.ts';
import { measureLayerTransfer } from './layer-transfer.ts';
import { measureRefusal } from './refusal.ts';
import { measureRevocation } from './revocation.ts';
import { measureStartUp } from './start-up.ts';

/** The whole loop: what it costs to run, how fast it takes back, how fast it moves bytes. */
export const loop: Benchmark = {
  name: 'loop',
  summary: 'start-up, memory, import → stopped, quarantine → refused, push and pull',
  measure: measureLoop,
};

async function* measureLoop(options: BenchOptions): AsyncGenerator<Figure> {
  for (const measure of [
    measureStartUp,
    measureIdleMemory,
    measureRevocation,
    measureRefusal,
    measureLayerTransfer,
  ])
    yield* measure(options);
}
