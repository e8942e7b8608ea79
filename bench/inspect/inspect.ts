import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { realLayer } from './corpus.ts';
import { measureSpeed } from './speed.ts';
import { measureStorage } from './storage.ts';

const layerBytes = 170e6;

export const inspect: Benchmark = {
  name: 'inspect',
  summary: 'how fast a layer is read and its rows are written, and what a file costs in the metadata store',
  measure: measureInspect,
};

async function* measureInspect(options: BenchOptions): AsyncGenerator<Figure> {
  options.say('a layer is made of files of this machine');
  const layer = await realLayer(options.folder, layerBytes);
  yield* measureSpeed(options, layer);
  yield* measureStorage(options, layer);
}
