import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type KeptAnswer, keptFrom, keptText } from './answer.ts';

const answer: Omit<KeptAnswer, 'images' | 'exceptedImages'> = {
  question: 'any',
  answeredAt: 0,
  tookMs: 1,
  counts: { match: 0, unknown: 0, noMatch: 0, tags: 0, containers: 0, regions: 0 },
  covers: {
    ...{ images: 0, uninspected: 0, advisorySources: [], inventories: [], regions: [], truncated: false },
    ...{ running: { known: 0, neverSeen: 0 }, excepted: { images: 0, by: [] } },
  },
};
const image = fc.tuple(fc.nat(2), fc.nat(), fc.constantFrom(0 as const, 1 as const), fc.nat(1));

it('an answer that is kept lists the same images, in the same order', () => {
  fc.assert(
    fc.property(fc.array(image), fc.array(image), (images, exceptedImages) => {
      const kept = { ...answer, images, exceptedImages };
      expect(keptFrom(keptText(kept))).toEqual(kept);
    }),
  );
});

it('an answer writes once what images have in common', () => {
  const images = Array.from({ length: 1_000 }, (_, at) => [7, 1_000 + at, 1, 5] as const);
  const text = keptText({ ...answer, images, exceptedImages: [] });
  expect(text.length).toBeLessThan(6 * images.length);
});
