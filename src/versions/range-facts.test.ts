import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { versionSchemes } from './schemes.ts';
import { parseVersionRange } from './vers.ts';

/**
 * What npm and pip say is in a range, as far as it is written with `<`, `<=`, `>`, `>=`, `==` and `!=`. Theirs choose what to
 * install, and so mean less, or more, than the order of versions alone, by which advisories and `vers:` go; those facts
 * are listed.
 */
interface RangeFacts {
  readonly ecosystem: string;
  readonly file: string;
  /** Of a line. */
  readonly range: 0 | 1;
  /** Means more than comparisons. */
  readonly isOther: RegExp;
  readonly used: number;
  readonly otherwise: Readonly<Record<string, readonly string[]>>;
}

const files: readonly RangeFacts[] = [
  {
    ...{ ecosystem: 'npm', file: 'node-semver-ranges.tsv', range: 0, used: 52 },
    isOther: /[\^~xX*|]| - |^\s*$/,
    otherwise: {
      'a short version is a range there': ['2 2.1.2', '2.3 2.3.1', '>1.2 1.2.8'],
      'a version before a release is in a range there only where the range names one of that release': [
        '>1.2 1.3.0-beta',
        '<=1.2.3 1.2.3-beta',
        '<1.2.3 1.2.3-beta',
        '>=1.0.0 <1.1.0 1.1.0-pre',
      ],
    },
  },
  {
    ...{ ecosystem: 'PyPI', file: 'pep440-specifiers.tsv', range: 1, used: 125 },
    isOther: /~=|===|\*/,
    otherwise: {
      'without a local label all builds are meant there': [
        '==2 2.0+deadbeef',
        '==2.0 2.0+deadbeef',
        '==2.0.0 2.0+deadbeef',
        '!=2 2.0+deadbeef',
        '!=2.0 2.0+deadbeef',
        '!=2.0.0 2.0+deadbeef',
      ],
      'what was mended or built anew after the version is not above it there': [
        '>2 2.0.post1',
        '>2 2.0.post1.dev1',
        '>2 2.0+local.version',
        '>4.1.0a2.dev1234 4.1.0a2.dev1234+local',
        '>1.0a1 1.0a1+local',
        '>1.0b1 1.0b1+local',
        '>1.0rc1 1.0rc1+local',
        '>1.0.post1 1.0.post1+local',
        '>1.0.dev1 1.0.dev1+local',
        '>1.0a1.dev1 1.0a1.dev1+local',
        '>1.0.post1.dev1 1.0.post1.dev1+local',
      ],
      'what came before the release is not below it there': [
        '<2 2.0.dev1',
        '<2 2.0a1',
        '<2 2.0a1.post1',
        '<2 2.0b1',
        '<2 2.0b2.dev1',
        '<2 2.0c1',
        '<2 2.0c1.post1.dev1',
        '<2 2.0rc1',
      ],
    },
  },
];

it.each(files)('$ecosystem ranges agree with $file', ({ ecosystem, file, range: at, ...facts }) => {
  const scheme = versionSchemes.get(ecosystem);
  if (scheme === undefined) throw new Error(`no scheme of ${ecosystem}`);
  const lines = readFileSync(new URL(`../../test/fixtures/versions/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));
  const asked = lines.flatMap((fields) => {
    const [range = '', version = ''] = [fields[at], fields[1 - at]];
    if (facts.isOther.test(range) || !scheme.isValid(version)) return [];
    return [{ range, version, isIn: fields[2] === 'true' }];
  });
  expect(asked).toHaveLength(facts.used);
  const differing = asked.filter(
    ({ range, version, isIn }) => parseVersionRange(range, scheme).matches(version) !== isIn,
  );
  expect(differing.map(({ range, version }) => `${range} ${version}`).sort()).toEqual(
    Object.values(facts.otherwise).flat().sort(),
  );
});
