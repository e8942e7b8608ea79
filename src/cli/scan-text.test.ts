import { expect, it } from 'vitest';
import { limits } from '../lib/limits.ts';
import { answerText, type ScanAnswer } from './scan-text.ts';

function answerOf(match: number, tags: number): ScanAnswer {
  return {
    ...{ name: 'S-1', question: 'any', answeredAt: 0, tookMs: 1, position: 1, images: [], next: null },
    counts: { match, unknown: 0, noMatch: 0, tags, containers: 0, regions: 0 },
    covers: {
      ...{ images: match, uninspected: 0, advisorySources: [], inventories: [], regions: [] },
      ...{ running: { known: 0, neverSeen: 0 }, excepted: { images: 0, by: [] }, truncated: false },
    },
  };
}

it.each([
  [limits.scanTagsMax, 1_200, /\n1,200 tags ·/],
  [limits.scanTagsMax + 1, 1_200, /\nat least 1,200 tags ·/],
])(
  'of %d images that match, %d tags are counted, and all of them only where it says so',
  (match, tags, said) => {
    expect(answerText(answerOf(match, tags), false)).toMatch(said);
  },
);
