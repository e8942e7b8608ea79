import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { dockerRegistryProgram, withDockerRegistry } from './docker-registry.ts';
import { Load } from './load.ts';
import { measureMemory, measureStartUp, withOwnServer } from './own.ts';
import { measureManifests, measurePulls, measureTags } from './reads.ts';
import { Sides } from './sides.ts';
import { measureFull, measureOnPostgres, measureTwoProcesses } from './variants.ts';
import { measureImages, measurePushes } from './writes.ts';

/** Beside docker-registry: the same client, in turn, on the same disk. */
const besideDocker = {
  manifests: (sides: Sides) => measureManifests(sides),
  pulls: measurePulls,
  pushes: measurePushes,
  images: measureImages,
  tags: measureTags,
} as const;

const others = ['processes', 'postgres', 'full', 'memory', 'start-up'] as const;

/** The distribution side, beside Debian's docker-registry. */
export const registry: Benchmark = {
  name: 'registry',
  summary: "pulls and pushes beside Debian's docker-registry, memory, start-up with a full store",
  measure: measureRegistry,
  parts: [...Object.keys(besideDocker), ...others],
};

async function* measureRegistry(options: BenchOptions): AsyncGenerator<Figure> {
  const program = await dockerRegistryProgram();
  const wants = (part: string) => options.only === undefined || options.only === part;
  const { folder, signal } = options;
  const besides = Object.entries(besideDocker).filter(([part]) => wants(part));
  if (besides.length > 0)
    yield* await withOwnServer(options, (ours) =>
      withDockerRegistry({ program, folder, signal }, async (theirs) => {
        await using load = new Load(signal);
        const sides = new Sides({ ours, theirs, load }, options);
        return await told(
          options,
          besides.map(([, measure]) => measure(sides)),
        );
      }),
    );
  if (wants('processes'))
    yield* await withDockerRegistry({ program, folder, signal }, (theirs) =>
      measureTwoProcesses(options, theirs),
    );
  if (wants('postgres'))
    yield* await withDockerRegistry({ program, folder, signal }, (theirs) =>
      told(options, [measureOnPostgres(options, theirs)]),
    );
  if (wants('full')) yield* await measureFull(options);
  if (wants('memory')) yield* measureMemory(options);
  if (wants('start-up')) yield* measureStartUp(options);
}

/** Says each as soon as it is known: the rest may take minutes, or fail. */
async function told(options: BenchOptions, parts: readonly AsyncGenerator<Figure>[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const part of parts)
    for await (const figure of part) {
      options.say(`${figure.name}: ${figure.value} ${figure.unit}`);
      figures.push(figure);
    }
  return figures;
}
