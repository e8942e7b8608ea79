import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debianScheme } from './debian.ts';
import { schemeOfPurlType } from './schemes.ts';
import { npmScheme } from './semver.ts';
import { parseVersionRange } from './vers.ts';

describe('parseVersionRange', () => {
  it.each([
    ['<4.17.21', ['0.0.1', '4.17.20', '4.17.21-rc.1'], ['4.17.21', '5.0.0']],
    ['>=1.0.0 <2.0.0', ['1.0.0', '1.9.9'], ['0.9.9', '2.0.0']],
    ['>= 1.0.0, < 2.0.0', ['1.0.0', '1.9.9'], ['0.9.9', '2.0.0']],
    ['1.2.3', ['1.2.3', 'v1.2.3'], ['1.2.4']],
    ['=1.2.3', ['1.2.3'], ['1.2.4']],
    ['== 1.2.3', ['1.2.3'], ['1.2.4']],
    ['>=1|<2', ['1.0.0', '1.5.0'], ['0.1.0', '2.0.0']],
    ['<2|>=1', ['1.0.0', '1.5.0'], ['0.1.0', '2.0.0']],
    ['vers:npm/>=1.0.0|<2.0.0', ['1.0.0', '1.5.0'], ['2.0.0']],
    ['vers:npm/<1|>=2|<3', ['0.1.0', '2.5.0'], ['1.0.0', '1.5.0', '3.0.0']],
    ['vers:npm/>1.0.0|!=1.5.0|<=2.0.0', ['1.0.1', '2.0.0'], ['1.0.0', '1.5.0', '2.0.1']],
    ['vers:npm/1.0.0|2.0.0', ['1.0.0', '2.0.0'], ['1.5.0']],
    ['vers:npm/1.0.0|>=2.0.0', ['1.0.0', '2.0.0', '9.0.0'], ['1.5.0']],
    ['vers:npm/!=1.0.0', ['0.9.0', '2.0.0'], ['1.0.0']],
    ['vers:npm/1.0.0%2Dbeta', ['1.0.0-beta'], ['1.0.0']],
    ['>1.0.0 !=1.5.0', ['1.4.0'], ['1.0.0', '1.5.0']],
  ])('%s', (text, inside, outside) => {
    const range = parseVersionRange(text, npmScheme);
    expect(inside.filter((version) => !range.matches(version))).toEqual([]);
    expect(outside.filter((version) => range.matches(version))).toEqual([]);
  });

  it('compares by the rules of the scheme', () => {
    expect(parseVersionRange('<1.0', debianScheme).matches('1.0~rc1')).toBe(true);
    expect(parseVersionRange('vers:deb/<2:1.0', debianScheme).matches('1:9')).toBe(true);
  });

  it.each([
    ['vers:pypi/<1!2.0', ['3.0', '1!1.9'], ['1!2.0', '2!0.1']],
    ['vers:pypi/>=1.0rc1|<2.0', ['1.0', '1.0.post1'], ['1.0b9', '2.0', '2.0.post1']],
    ['vers:maven/>=2.0-beta9|<2.3.1', ['2.0', '2.3'], ['2.0-beta8', '2.3.1']],
    ['vers:golang/<1.19.8', ['v1.19.7', '1.19.8-rc.1'], ['1.19.8']],
    ['vers:gem/>=5.0|<5.2.4.3', ['5.0.0', '5.2.4.3.rc1'], ['5.0.0.beta', '5.2.4.3']],
    ['vers:cargo/<0.3.0', ['0.2.9', '0.3.0-alpha'], ['0.3.0']],
    ['vers:composer/>=8.0|<8.4.0', ['v8.0.0', '8.4.0-beta1'], ['8.4', '8.x-dev']],
    ['vers:nuget/<12.0.1.1', ['12.0.1', '12.0.1.1-RC'], ['12.0.1.1']],
    ['vers:hex/<1.0.0', ['1.0.0-rc.0'], ['1.0.0']],
    ['vers:pub/<1.0.0%2B1', ['1.0.0'], ['1.0.0+1', '1.0.0+2']],
    ['vers:cran/<1.0-2', ['1.0-1', '1.0.1'], ['1.0.2']],
    ['vers:hackage/<1.0.0', ['1.0'], ['1.0.0']],
    ['vers:apk/<3.1.4-r5', ['3.1.4-r4', '3.1.4_rc1'], ['3.1.4-r5', '3.1.4_p1']],
    ['vers:rpm/<1%3A3.0.7-6.el9_2', ['3.9-1', '1:3.0.7-6.el9'], ['1:3.0.7-6.el9_2.1', '2:1-1']],
  ])('%s', (text, inside, outside) => {
    const scheme = schemeOfPurlType(text.slice('vers:'.length, text.indexOf('/')));
    if (scheme === undefined) throw new Error('no scheme');
    const range = parseVersionRange(text, scheme);
    expect([...inside, ...outside].filter((version) => !range.canTell(version))).toEqual([]);
    expect(inside.filter((version) => !range.matches(version))).toEqual([]);
    expect(outside.filter((version) => range.matches(version))).toEqual([]);
  });

  it('matches an invalid version only with *', () => {
    expect(parseVersionRange('>=0.0.0', npmScheme).matches('not-a-version')).toBe(false);
    expect(parseVersionRange('*', npmScheme).matches('not-a-version')).toBe(true);
    expect(parseVersionRange('vers:npm/*', npmScheme).matches('1.0.0')).toBe(true);
    expect(parseVersionRange('>=0.0.0', npmScheme).canTell('not-a-version')).toBe(false);
    expect(parseVersionRange('>=0.0.0', npmScheme).canTell('1.0.0')).toBe(true);
    expect(parseVersionRange('*', npmScheme).canTell('not-a-version')).toBe(true);
  });

  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['vers:npm', 'vers:npm/'],
    ['vers:npm/', 'empty'],
    ['vers:deb/<1', "type 'deb'"],
    ['<', 'not a constraint'],
    ['<<1', 'not a constraint'],
    ['^1.0.0', 'not a version of npm'],
    ['1.x', 'not a version of npm'],
    ['<1||>2', 'a constraint is empty'],
    ['<1|', 'a constraint is empty'],
    ['vers:npm/<1|<2', 'two upper bounds'],
    ['vers:npm/>1|>2', 'two lower bounds'],
    ['vers:npm/>1|<1.0.0', 'named twice'],
    ['vers:npm/%zz', 'percent-encoded'],
    ['<1'.padEnd(2000), 'longer'],
  ])("refuses '%s'", (text, problem) => {
    expect(() => parseVersionRange(text, npmScheme)).toThrow(problem);
  });

  it('means the same in both notations for every interval', () => {
    const version = fc
      .tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }))
      .map(([major, minor]) => `${major}.${minor}.0`);
    const operators = fc.tuple(fc.constantFrom('>', '>='), fc.constantFrom('<', '<='));
    fc.assert(
      fc.property(version, version, operators, version, (a, b, [lower, upper], probe) => {
        const [low = '', high = ''] = [a, b].toSorted(npmScheme.compare);
        fc.pre(low !== high);
        const plain = parseVersionRange(`${lower}${low} ${upper}${high}`, npmScheme);
        const specifier = parseVersionRange(`vers:npm/${upper}${high}|${lower}${low}`, npmScheme);
        expect(specifier.matches(probe)).toBe(plain.matches(probe));
        expect(parseVersionRange(specifier.text, npmScheme).matches(probe)).toBe(specifier.matches(probe));
      }),
    );
  });
});
