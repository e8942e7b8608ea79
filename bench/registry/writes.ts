/** Pushes of large blobs and of small images, to either registry in turn. */
import type { Figure } from '../benchmark.ts';
import { figure } from '../figures.ts';
import type { LoadResult } from './load-jobs.ts';
import { layersAtOnce } from './pushes.ts';
import { ratioFigure, type Sides } from './sides.ts';

const blobTargets = [
  { connections: 1, target: 1.5 },
  { connections: 8, target: 1.3 },
] as const;
const imageTarget = 1.5;

export async function* measurePushes(sides: Sides): AsyncGenerator<Figure> {
  const sizeBytes = sides.sizes.blobBytes;
  for (const { connections, target } of blobTargets) {
    sides.say(`push of blobs, ${connections} at once`);
    const work = { kind: 'pushes', sizeBytes, connections } as const;
    yield ratioFigure(target, {
      name: `push of new 256 MB blobs, ${connections} connection${connections > 1 ? 's' : ''}`,
      rounds: await sides.inTurn((side) => sides.done(side, 'pushes', work)),
      per: 1e6,
      unit: 'MB/s',
      note: 'from the HEAD to the 201 of the PUT that ends it; both verify the digest, only ours flushes to the disk',
    });
  }
}

export async function* measureImages(sides: Sides): AsyncGenerator<Figure> {
  const { imagesInRound: images } = sides.sizes;
  sides.say('push of images of 20 small layers');
  const inspected: number[] = [];
  yield ratioFigure(imageTarget, {
    name: 'push of an image of 20 small layers',
    rounds: await sides.inTurn(async (side) => {
      const pushed = await sides.done(side, 'images', { kind: 'images', images, tag: 'latest' });
      if (side === 'ours') inspected.push(await rateUntilInspected(sides, pushed));
      return pushed;
    }),
    unit: 'images/s',
    note:
      `${images} new images a round, one after another, ${layersAtOnce} layers of 16 KiB at once; HEAD, POST, PATCH, PUT ` +
      'for each, then the manifest; ours inspects them in a pause of pushes, or from two seconds on',
  });
  yield figure({
    name: 'the same, pushed and inspected',
    unit: 'images/s',
    samples: inspected.slice(1),
    note: 'of ours alone, from the first HEAD to when each layer of the round is inspected',
  });
}

/** Of the first round too, which warms up. */
async function rateUntilInspected(sides: Sides, { count, ms }: LoadResult): Promise<number> {
  const beganMs = performance.now();
  await sides.inspected('ours');
  return count / ((ms + performance.now() - beganMs) / 1000);
}
