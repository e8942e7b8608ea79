import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { dockerRegistryProgram, withDockerRegistry } from './docker-registry.ts';
import { Load } from './load.ts';
import { measureMemory, measureStartUp, withOwnServer } from './own.ts';
import { measureManifests, measurePulls, measureTags } from './reads.ts';
import { Sides } from './sides.ts';
import { measureImages, measurePushes } from './writes.ts';

/** The distribution side, beside Debian's docker-registry: the same client, in turn, on the same disk. */
export const registry: Benchmark = {
  name: 'registry',
  summary: "pulls and pushes beside Debian's docker-registry, memory, start-up with a full store",
  measure: measureRegistry,
};

async function* measureRegistry(options: BenchOptions): AsyncGenerator<Figure> {
  const program = await dockerRegistryProgram();
  yield* await withOwnServer(options, (ours) =>
    withDockerRegistry({ program, folder: options.folder, signal: options.signal }, async (theirs) => {
      await using load = new Load(options.signal);
      return await sideBySide(new Sides({ ours, theirs, load }, options));
    }),
  );
  yield* measureMemory(options);
  yield* measureStartUp(options);
}

async function sideBySide(sides: Sides): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measure of [measureManifests, measurePulls, measurePushes, measureImages, measureTags])
    for await (const figure of measure(sides)) {
      sides.say(`${figure.name}: ${figure.value} ${figure.unit}`); // the rest may take minutes, or fail
      figures.push(figure);
    }
  return figures;
}
