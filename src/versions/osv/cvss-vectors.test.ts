import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { cvssScore } from './severity.ts';

/** Published wrongly: what the formulas of the specification give is another score, which ours is. */
const wrong = new Map([
  ['CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:U/C:L/I:N/A:N', 3.5],
  ['CVSS:3.1/AV:A/AC:L/PR:L/UI:R/S:C/C:H/I:H/A:H', 8.4],
  ['CVSS:3.1/AV:L/AC:L/PR:L/UI:R/S:C/C:H/I:H/A:N', 7.9],
  ['CVSS:3.1/AV:P/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H', 7.3],
  ['CVSS:4.0/AV:N/AC:H/AT:P/PR:H/UI:A/VC:L/VI:H/VA:N/SC:N/SI:N/SA:N', 5.7],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:N/SC:L/SI:N/SA:N', 5.1],
  ['CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:N/SC:H/SI:H/SA:N/RE:L/U:Green', 5.1],
]);

/** How exploits, remedies and reports stood on some day. */
const temporal = /\/(E|RL|RC):/;

describe('published CVSS scores', () => {
  const file = new URL('../../../test/fixtures/cvss/vectors.tsv.gz', import.meta.url);
  const published = gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
    .map(([vector = '', score = '']) => ({ vector, score: Number(score) }));

  it.each(['AV:', 'CVSS:3.0/', 'CVSS:3.1/', 'CVSS:4.0/'])('are ours, of %s', (version) => {
    const some = published.filter(({ vector }) => vector.startsWith(version) && !temporal.test(vector));
    expect(some.length).toBeGreaterThan(50);
    const differing = some.filter(({ vector, score }) => cvssScore(vector) !== (wrong.get(vector) ?? score));
    expect(differing).toEqual([]);
  });

  it('are ours before the temporal metrics, which some publish as the base score', () => {
    const some = published.filter(({ vector }) => vector.startsWith('CVSS:3.') && temporal.test(vector));
    expect(some.length).toBeGreaterThan(100);
    for (const { vector } of some) {
      const base = vector.replaceAll(/\/(E|RL|RC):\w+/g, '');
      expect(cvssScore(vector)).toBe(cvssScore(base));
    }
  });
});
