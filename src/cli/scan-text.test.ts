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

it('fits 100 columns with many sources and a long reason, and says what of them is amiss', () => {
  const answer = answerOf(0, 0);
  const source = (at: number) => ({
    ...{ source: `osv-ecosystem-${at}`, kind: 'osv' as const, importedAt: 0, documents: 1_000 },
    ...{ unreadable: at === 3 ? 2 : 0, error: at === 4 ? 'no answer' : null },
  });
  const unknown = {
    ...{ repository: 'acme/shop', digest: `sha256:${'ab'.repeat(32)}`, platform: null },
    ...{ verdict: 'unknown' as const, verdictNow: 'unknown' as const },
    ...{ reason: `layer sha256:${'cd'.repeat(32)}: truncated`, evidence: [], evidenceCount: 0 },
    ...{ above: { tags: [], indexes: [], containers: [] }, pushedAt: null, pulledAt: null, readWith: [] },
  };
  const never = { ...source(9), source: 'gone', importedAt: null, documents: 0 };
  const text = answerText(
    {
      ...answer,
      images: [unknown],
      counts: { ...answer.counts, unknown: 1 },
      covers: {
        ...answer.covers,
        advisorySources: [...Array.from({ length: 8 }, (_, at) => source(at)), never],
      },
    },
    false,
  );
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(text).toContain(`layer sha256:${'cd'.repeat(6)}: truncated`);
  expect(text.replace(/\s+/g, ' ')).toContain(
    'osv-ecosystem-3 (1,000 advisories, 2 can’t be read, 0 min old)',
  );
  expect(text.replace(/\s+/g, ' ')).toContain(
    'osv-ecosystem-4 (1,000 advisories, 0 min old, the last fetch failed)',
  );
  expect(text.replace(/\s+/g, ' ')).toContain('gone (0 advisories, never loaded)');
});

it('tells the platforms of an index apart, which share its tags', () => {
  const image = (platform: string, indexes: readonly string[]) => ({
    ...{ repository: 'acme/shop', digest: `sha256:${'ab'.repeat(32)}`, platform },
    ...{
      verdict: 'match' as const,
      verdictNow: 'match' as const,
      reason: null,
      evidence: [],
      evidenceCount: 0,
    },
    ...{ pushedAt: null, pulledAt: null, readWith: [] },
    above: { tags: [{ repository: 'acme/shop', tag: '1' }], indexes: [...indexes], containers: [] },
  });
  const images = [
    image('linux/amd64', ['sha256:1']),
    image('linux/arm64', ['sha256:1']),
    image('linux/amd64', []),
  ];
  const text = answerText({ ...answerOf(3, 1), images }, false);
  expect(text).toMatch(/^acme\/shop:1 linux\/amd64 .*\nacme\/shop:1 linux\/arm64 .*\nacme\/shop:1 {2,}/m);
});
