import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debianScheme } from '../debian.ts';
import { mavenScheme } from '../maven.ts';
import { pypiScheme } from '../pypi.ts';
import { rpmScheme } from '../rpm.ts';
import { npmScheme } from '../semver.ts';
import type { VersionScheme } from '../version-scheme.ts';
import { advisoryAffects, isAffected } from './affects.ts';
import { parseOsv } from './parse.ts';

type Events = readonly Record<string, string>[];

function entry(ranges: readonly Events[], versions: readonly string[] = [], type = 'SEMVER') {
  const affected = [
    {
      package: { ecosystem: 'npm', name: 'a' },
      ranges: ranges.map((events) => ({ type, events })),
      versions,
    },
  ];
  const [parsed] = parseOsv({ id: 'X-1', modified: '2026-01-01T00:00:00Z', affected }).affected;
  if (parsed === undefined) throw new Error('no entry');
  return parsed;
}

const affectedBy = (fixedIn?: string) =>
  fixedIn === undefined ? { verdict: 'affected' } : { verdict: 'affected', fixedIn };
const unaffected = { verdict: 'unaffected' };

describe('isAffected', () => {
  it.each([
    ['below the fix', [[{ introduced: '0' }, { fixed: '2.0.0' }]], '1.0.0', affectedBy('2.0.0')],
    [
      'a pre-release below all numbers',
      [[{ introduced: '0' }, { fixed: '2.0.0' }]],
      '0.0.0-0',
      affectedBy('2.0.0'),
    ],
    ['at the fix', [[{ introduced: '0' }, { fixed: '2.0.0' }]], '2.0.0', unaffected],
    ['before it was introduced', [[{ introduced: '1.0.0' }, { fixed: '2.0.0' }]], '0.9.0', unaffected],
    [
      'where it was introduced',
      [[{ introduced: '1.0.0' }, { fixed: '2.0.0' }]],
      '1.0.0',
      affectedBy('2.0.0'),
    ],
    ['without a fix', [[{ introduced: '0' }]], '9.0.0', affectedBy()],
    ['at the last affected', [[{ introduced: '0' }, { last_affected: '1.0.11' }]], '1.0.11', affectedBy()],
    ['after the last affected', [[{ introduced: '0' }, { last_affected: '1.0.11' }]], '1.0.12', unaffected],
    [
      'the one version of first and last',
      [[{ introduced: '1.0.0' }, { last_affected: '1.0.0' }]],
      '1.0.0',
      affectedBy(),
    ],
    [
      'after the one version of first and last',
      [[{ introduced: '1.0.0' }, { last_affected: '1.0.0' }]],
      '1.0.1',
      unaffected,
    ],
    [
      'between two stretches',
      [[{ introduced: '0' }, { fixed: '1.0.0' }, { introduced: '2.0.0' }, { fixed: '2.5.0' }]],
      '1.5.0',
      unaffected,
    ],
    [
      'in the second stretch',
      [[{ introduced: '0' }, { fixed: '1.0.0' }, { introduced: '2.0.0' }, { fixed: '2.5.0' }]],
      '2.1.0',
      affectedBy('2.5.0'),
    ],
    [
      'events out of order',
      [[{ fixed: '2.5.0' }, { introduced: '2.0.0' }, { fixed: '1.0.0' }, { introduced: '0' }]],
      '0.5.0',
      affectedBy('1.0.0'),
    ],
    [
      'in the second range',
      [
        [{ introduced: '0' }, { fixed: '1.0.0' }],
        [{ introduced: '2.0.0' }, { fixed: '2.5.0' }],
      ],
      '2.1.0',
      affectedBy('2.5.0'),
    ],
    [
      'a fix that another range covers',
      [
        [{ introduced: '1.0.0' }, { fixed: '2.0.0' }],
        [{ introduced: '2.0.0' }, { fixed: '3.0.0' }],
      ],
      '1.5.0',
      affectedBy('3.0.0'),
    ],
    [
      'a fix that a range without fix covers',
      [[{ introduced: '1.0.0' }, { fixed: '2.0.0' }], [{ introduced: '1.9.0' }]],
      '1.5.0',
      affectedBy(),
    ],
    [
      'stretches that touch',
      [[{ introduced: '0' }, { fixed: '1.0.0' }, { introduced: '1.0.0' }, { fixed: '2.0.0' }]],
      '1.5.0',
      affectedBy('2.0.0'),
    ],
    ['an empty stretch', [[{ introduced: '1.0.0' }, { fixed: '1.0.0' }]], '1.0.0', unaffected],
    ['below the limit', [[{ introduced: '0' }, { limit: '2.0.0' }]], '1.0.0', affectedBy()],
    ['at the limit', [[{ introduced: '0' }, { limit: '2.0.0' }]], '2.0.0', unaffected],
    [
      'below the greater of two limits',
      [[{ introduced: '0' }, { limit: '1.0.0' }, { limit: '2.0.0' }]],
      '1.5.0',
      affectedBy(),
    ],
    ['a limit at infinity', [[{ introduced: '0' }, { limit: '*' }]], '99.0.0', affectedBy()],
    ['short versions in events', [[{ introduced: '1' }, { fixed: '2.1' }]], '2.0.9', affectedBy('2.1')],
  ] as const)('%s', (_, ranges, version, verdict) => {
    expect(isAffected(entry(ranges), version, npmScheme)).toEqual(verdict);
  });

  it('finds a listed version, also one that is not valid or beside the ranges', () => {
    const listed = entry([[{ introduced: '5.0.0' }]], ['1.0.0', 'weird version']);
    expect(isAffected(listed, '1.0.0', npmScheme)).toEqual(affectedBy());
    expect(isAffected(listed, 'weird version', npmScheme)).toEqual(affectedBy());
    expect(isAffected(listed, '1.0.1', npmScheme)).toEqual(unaffected);
    expect(isAffected(entry([], ['1.0.0']), '1.0.1', npmScheme)).toEqual(unaffected);
  });

  it('finds a listed version by another spelling of it', () => {
    const listed = entry([], ['1.0rc1', 'weird version']);
    expect(isAffected(listed, '1.0.0-RC.1', pypiScheme)).toEqual(affectedBy());
    expect(isAffected(listed, '1.0rc2', pypiScheme)).toEqual(unaffected);
    expect(isAffected(listed, '1.0.0-RC.1', undefined)).toEqual(unaffected);
  });

  it.each([
    ['the ecosystem has no scheme', entry([[{ introduced: '0' }]]), '1.0.0', undefined],
    ['the version is not valid', entry([[{ introduced: '0' }]]), 'git+ssh://x', npmScheme],
    ['an event is not valid', entry([[{ introduced: '0' }, { fixed: '3.0.RC3' }]]), '1.0.0', npmScheme],
    ['the version is not valid and others are listed', entry([], ['1.0.0']), 'git+ssh://x', npmScheme],
    ['only commits are named', entry([[{ introduced: '0' }]], [], 'GIT'), '1.0.0', npmScheme],
    ['nothing is named', entry([]), '1.0.0', npmScheme],
  ])('answers unknown, with the reason, when %s', (_, affected, version, scheme) => {
    expect(isAffected(affected, version, scheme)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringMatching(/\w/),
    });
  });

  it('compares by the rules of the ecosystem', () => {
    const debian = entry([[{ introduced: '0' }, { fixed: '1:1.0-1' }]], [], 'ECOSYSTEM');
    expect(isAffected(debian, '9.9-1', debianScheme)).toEqual(affectedBy('1:1.0-1'));
    expect(isAffected(debian, '1:1.0-1+b1', debianScheme)).toEqual(unaffected);
  });

  it('is not affected in the version that it calls the fix', () => {
    const version = fc.nat({ max: 9 }).map((major) => `${major}.0.0`);
    const event = fc.oneof(
      version.map((at) => ({ introduced: at })),
      version.map((at) => ({ fixed: at })),
      version.map((at) => ({ last_affected: at })),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(event, { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
        version,
        (ranges, at) => {
          const affected = entry(
            ranges.map((events) => events.map((one): Record<string, string> => ({ ...one }))),
          );
          const verdict = isAffected(affected, at, npmScheme);
          if (verdict.verdict !== 'affected' || verdict.fixedIn === undefined) return;
          expect(npmScheme.compare(verdict.fixedIn, at)).toBeGreaterThan(0);
          expect(isAffected(affected, verdict.fixedIn, npmScheme).verdict).not.toBe('affected');
        },
      ),
    );
  });
});

describe('advisoryAffects', () => {
  const document = {
    id: 'X-1',
    modified: '2026-01-01T00:00:00Z',
    affected: [
      {
        package: { ecosystem: 'npm', name: 'a' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '1.0.0' }, { fixed: '1.1.0' }] }],
      },
      {
        package: { ecosystem: 'npm', name: 'a' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '2.0.0' }, { fixed: '2.1.0' }] }],
      },
    ],
  };
  const subject = { ecosystem: 'npm', name: 'a', version: '2.0.0' };

  it('looks at every entry of the package and at no other package', () => {
    expect(advisoryAffects(parseOsv(document), subject)).toEqual(affectedBy('2.1.0'));
    expect(advisoryAffects(parseOsv(document), { ...subject, name: 'b' })).toEqual(unaffected);
    expect(advisoryAffects(parseOsv(document), { ...subject, ecosystem: 'PyPI' })).toEqual(unaffected);
  });

  it('affects nothing once withdrawn', () => {
    expect(advisoryAffects(parseOsv({ ...document, withdrawn: '2026-02-01T00:00:00Z' }), subject)).toEqual(
      unaffected,
    );
  });

  it.each([[[[]]], [[[{ fixed: '2.0.0' }]]], [[[{ last_affected: '2.0.0' }], [{ introduced: '3.0.0' }]]]])(
    'does not know what a range means that never begins: %j',
    (ranges) => {
      expect(isAffected(entry(ranges), '1.0.0', npmScheme)).toMatchObject({ verdict: 'unknown' });
      expect(isAffected(entry(ranges, ['1.0.0']), '1.0.0', npmScheme)).toEqual(affectedBy());
    },
  );

  it.each<[string, VersionScheme, readonly (readonly [string, string])[]]>([
    [
      'npm',
      npmScheme,
      [
        ['v1.2.3', '1.2.3+build.7'],
        ['1.2.3+5', '1.2.3+6'],
        ['1.0', '1.0.0'],
      ],
    ],
    [
      'PyPI',
      pypiScheme,
      [
        ['1.0-RC1', '1.0rc1'],
        ['1!1.0', '1!1'],
        ['1.0.post1', '1.0-1'],
        ['1.0+ab.1', '1.0+AB-1'],
      ],
    ],
    [
      'Debian',
      debianScheme,
      [
        ['0:1.0-0', '1.0'],
        ['1.00', '1.0'],
      ],
    ],
    [
      'RPM',
      rpmScheme,
      [
        ['1.0+5', '1.0.5'],
        ['0:1.02', '1.2'],
      ],
    ],
    [
      'Maven',
      mavenScheme,
      [
        ['1.0', '1.0.0-ga'],
        ['1-alpha-1', '1-a1'],
      ],
    ],
  ])('finds in a list what %s spells otherwise', (_, scheme, pairs) => {
    for (const [listed, version] of pairs) {
      expect([listed, version, scheme.compare(listed, version)]).toEqual([listed, version, 0]);
      expect(isAffected(entry([], ['9.9.9', listed]), version, scheme)).toEqual(affectedBy());
    }
    expect(isAffected(entry([], ['9.9.9', '1.1']), '1.10', scheme)).toEqual(unaffected);
  });

  it('looks through a long list once, however many versions are asked about', () => {
    const listed = entry(
      [],
      Array.from({ length: 20_000 }, (_, at) => `1.${at}.1`),
    );
    let compared = 0;
    const counting: VersionScheme = {
      ...npmScheme,
      compare: (a, b) => {
        compared += 1;
        return npmScheme.compare(a, b);
      },
    };
    for (let at = 0; at < 50; at += 1) isAffected(listed, `2.${at}.1`, counting);
    expect(compared).toBeLessThan(20_000);
  });
});
