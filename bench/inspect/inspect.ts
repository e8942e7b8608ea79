import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { realLayer } from './corpus.ts';
import { measureMeanwhile } from './meanwhile.ts';
import { measureMemory } from './memory.ts';
import { measureRealImages } from './real-images.ts';
import { measureSpeed } from './speed.ts';
import { measureStorage } from './storage.ts';
import { measureWorkers } from './workers.ts';

const layerBytes = 170e6;

const parts = {
  speed: measureSpeed,
  workers: measureWorkers,
  meanwhile: measureMeanwhile,
  memory: measureMemory,
  storage: measureStorage,
  images: measureRealImages,
} as const;

export const inspect: Benchmark = {
  name: 'inspect',
  summary:
    'how fast layers are read and their rows written, what that costs pushes and pulls, memory, and the metadata store',
  measure: measureInspect,
  parts: Object.keys(parts),
};

async function* measureInspect(options: BenchOptions): AsyncGenerator<Figure> {
  options.say('a layer is made of files of this machine');
  const layer = await realLayer(options.folder, layerBytes);
  for (const [name, measure] of Object.entries(parts))
    if (options.only === undefined || options.only === name) yield* measure(options, layer);
}
