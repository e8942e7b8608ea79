import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signOf, versionFact } from '../../test/support/version-facts.ts';
import { alpineScheme } from './alpine.ts';
import { debianScheme } from './debian.ts';
import { mavenScheme } from './maven.ts';
import { nugetScheme } from './nuget.ts';
import { packagistScheme } from './packagist.ts';
import { pypiScheme } from './pypi.ts';
import { rpmScheme } from './rpm.ts';
import { rubygemsScheme } from './rubygems.ts';
import { schemeOfEcosystem, schemeOfPurlType, versionSchemes } from './schemes.ts';
import { goScheme, hexScheme, npmScheme, pubScheme } from './semver.ts';

/** Short texts of the characters that matter collide often, which is what an order must survive. */
const debianVersion = fc
  .tuple(
    fc.constantFrom('', '0:', '1:', '10:'),
    fc.string({ unit: fc.constantFrom(...'0019aZ~+.-'), maxLength: 7 }),
    fc.constantFrom('0', '1', 'a', '~'),
  )
  .map(([epoch, middle, end]) => `${epoch}0${middle}${end}`);

const npmVersion = fc
  .tuple(
    fc.nat({ max: 2 }),
    fc.nat({ max: 2 }),
    fc.nat({ max: 2 }),
    fc.constantFrom('', '-0', '-a', '-a.1', '-a.b', '-10', '+x'),
  )
  .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);

const mavenVersion = fc
  .tuple(
    fc.nat({ max: 2 }),
    fc.constantFrom('', '.0', '.1', '.10'),
    fc.constantFrom('', '-rc1', '.RELEASE', '-jre', '-SNAPSHOT', 'b2'),
  )
  .map((parts) => parts.join(''));

/** `1` and at most four of these parts: what each ecosystem's own readers make of their neighbours is where orders break. */
const joined = (...parts: readonly string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 4 }).map((chosen) => ['1', ...chosen].join(''));

describe.each([
  ['PyPI', pypiScheme, joined('.0', '.1', 'a1', 'rc2', '.post1', '.dev0', '+local.1', '.10')],
  ['RubyGems', rubygemsScheme, joined('.0', '.1', '.a', '.b2', '-x', '.10', '.00')],
  ['Packagist', packagistScheme, joined('.0', '.1', '-beta', '-RC2', 'pl1', '-dev', '.10', '.x-dev')],
  ['NuGet', nugetScheme, joined('.0', '.1', '.10', '-Beta', '-beta.1', '-1', '+x')],
  ['Hex', hexScheme, joined('.0.0', '.0', '.1', '-a', '-a.1', '-1', '+x')],
  ['Pub', pubScheme, joined('.0.0', '.0', '.1', '-a', '-a.1', '+1', '+x')],
  ['Alpine', alpineScheme, joined('.0', '.1', '.01', 'a', '_rc1', '_p', '_p2', '~ab', '-r1', '-r10')],
  ['RPM', rpmScheme, joined('.0', '.1', 'a', '~', '^', '-1', '-1.el9', '_', '.10')],
  ['npm', npmScheme, npmVersion],
  ['Debian', debianScheme, debianVersion],
  ['Maven', mavenScheme, mavenVersion],
] as const)('%s versions', (_, scheme, version) => {
  it('are totally ordered', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        fc.pre([a, b, c].every(scheme.isValid));
        expect(scheme.compare(a, a)).toBe(0);
        expect(Math.sign(scheme.compare(a, b)) + Math.sign(scheme.compare(b, a))).toBe(0);
        const [low = '', middle = '', high = ''] = [a, b, c].toSorted(scheme.compare);
        expect(scheme.compare(low, middle)).toBeLessThanOrEqual(0);
        expect(scheme.compare(middle, high)).toBeLessThanOrEqual(0);
        expect(scheme.compare(low, high)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('npmScheme', () => {
  it('reads the short versions of advisories as ending in zeros', () => {
    expect(signOf(npmScheme, '1', '1.0.0')).toBe('=');
    expect(signOf(npmScheme, '1.2', '1.2.0')).toBe('=');
    expect(signOf(npmScheme, '3.0-rc1', '3.0.0')).toBe('<');
  });

  it.each([
    '',
    'x',
    '1.2.3.4',
    'git+ssh://example/x',
    '3.0.RC3',
    '1 2',
    '^1.0.0',
    '99999999999999999999.0.0',
  ])("knows that '%s' is no version", (text) => {
    expect(npmScheme.isValid(text)).toBe(false);
  });

  it('refuses to compare what is no version', () => {
    expect(() => npmScheme.compare('x', '1.0.0')).toThrow("'x' is not a version of npm");
  });
});

describe('goScheme', () => {
  it.each([
    'v1.2.3 = 1.2.3',
    'v2.8.2+incompatible = 2.8.2',
    'v0.0.0-20191109021931-daa7c04131f5 < v0.0.0-20210101000000-000000000000',
    'v1.2.4-0.20191109021931-daa7c04131f5 < 1.2.4',
    'v1.2.4-0.20191109021931-daa7c04131f5 > 1.2.3',
    '1.19.8 > 1.16.0-0',
    '1.20.0-rc.1 > 1.20.0-0',
    '1.20.0-rc.1 < 1.20.0',
  ])('%s', (fact) => {
    const { a, sign, b } = versionFact(fact);
    expect(signOf(goScheme, a, b)).toBe(sign);
  });

  it('knows that a module that was built from a working copy has no version', () => {
    expect(goScheme.isValid('(devel)')).toBe(false);
  });
});

describe('mavenScheme', () => {
  it.each([
    '2.14.1 < 2.17.1',
    '2.0-beta9 < 2.0',
    '9.0.0.M1 < 9.0.0',
    '4.3.30.RELEASE = 4.3.30',
    '31.1-jre > 31.1',
    '2.0.0 = 2',
  ])('%s', (fact) => {
    const { a, sign, b } = versionFact(fact);
    expect(signOf(mavenScheme, a, b)).toBe(sign);
  });

  it.each(['', '$' + '{project.version}', '[1.0,2.0)', '1 2', '-', '1.'.repeat(200)])(
    "knows that '%s' is no version",
    (text) => {
      expect(mavenScheme.isValid(text)).toBe(false);
    },
  );
});

describe('debianScheme', () => {
  it.each([
    '1.0~rc1 < 1.0',
    '1.0~~ < 1.0~',
    '1.0~~a < 1.0~',
    '1.0 < 1.0a',
    '1.0a < 1.0+',
    '1.0-1 < 1.0-1+b1',
    '1:0.1 > 9.9',
    '1.2 = 0:1.2-0',
    '1.010 = 1.10',
    '1-2-3 > 1-2',
    '99999999999999999998 < 99999999999999999999',
    '2.36-9+deb12u9 < 2.36-9+deb12u10',
  ])('%s', (fact) => {
    const { a, sign, b } = versionFact(fact);
    expect(signOf(debianScheme, a, b)).toBe(sign);
  });

  it.each(['', '1.0-', '-1', 'a:1', '1_0', '1 0', '1:', ':1:', 'é'])(
    "knows that '%s' is no version",
    (text) => {
      expect(debianScheme.isValid(text)).toBe(false);
    },
  );
});

describe('each other scheme', () => {
  it.each([
    ['PyPI', '1.0rc1 < 1.0', '1.0 < 1.0.post1', '1.0.dev1 < 1.0a1', '1!0.1 > 99', '1.0-RC.1 = 1.0rc1'],
    ['RubyGems', '1.0.a < 1', '1.0-x = 1.0.pre.x', '1.0.0 = 1', '1.10 > 1.9', '1.a.0 = 1.a', '1.0.a = 1.a'],
    ['Packagist', 'v1.0 = 1.0.0.0', '1.0-beta2 < 1.0RC1', '1.0.x-dev > 1.0.99', '2010-01-02 > 2009.12.31'],
    ['Packagist', '1.0-stable = 1.0', '1.0pl1 > 1.0', '1.0-dev < 1.0-alpha'],
    ['NuGet', '1.0 = 1.0.0.0', '1.0-RC = 1.0.0-rc', '1.0-rc.2 < 1.0-rc.10', '1.0.0.1 > 1.0.0'],
    ['Hex', '1.0.0-rc.1 < 1.0.0', '1.0.0+a = 1.0.0+b'],
    ['Pub', '1.0.0 < 1.0.0+1', '1.0.0+2 < 1.0.0+10'],
    [
      'Alpine',
      '1.05 < 1.1',
      '1.0_rc1 < 1.0',
      '1.0_p1 > 1.0',
      '1.0a > 1.0',
      '1.0-r9 < 1.0-r10',
      '1.0~ab > 1.0',
    ],
    ['openSUSE', '1.0~rc1 < 1.0', '1.0^git1 > 1.0', '1.0^git1 < 1.0.1', '0:1-1 = 1-1', '1:0 > 9', '1-2 > 1'],
    ['Red Hat', '1.el9_2.1 > 1.el9', '1.0-1.module_el8.5.0+119 > 1.0-1.module_el8.4.0+2496', '1a < 1.1'],
  ])('%s: %s, …', (ecosystem, ...orders) => {
    const scheme = schemeOfEcosystem(ecosystem);
    if (scheme === undefined) throw new Error(`no scheme of ${ecosystem}`);
    expect(orders.map(versionFact).map(({ a, b }) => `${a} ${signOf(scheme, a, b)} ${b}`)).toEqual(orders);
  });

  it.each([
    ['PyPI', '1.0-final-x'],
    ['PyPI', '1.12345678901234567'],
    ['RubyGems', '1beta'],
    ['RubyGems', '1..0'],
    ['Packagist', 'dev-main'],
    ['Packagist', '1.2.3.4.5'],
    ['NuGet', '1.0.0.0.0'],
    ['NuGet', '[1.0,2.0)'],
    ['Alpine', '1.0bc'],
    ['Alpine', '1.0-rc1'],
    ['AlmaLinux', 'a:1'],
    ['AlmaLinux', '1-2-3'],
    ['AlmaLinux', '1-'],
    ['AlmaLinux', '1:'],
    ['CRAN', '1.0a'],
    ['Hackage', '1-0'],
  ])("%s knows that '%s' is no version, and neither is nothing or too much", (ecosystem, text) => {
    const scheme = schemeOfEcosystem(ecosystem);
    if (scheme === undefined) throw new Error(`no scheme of ${ecosystem}`);
    expect([text, '', ' ', '1.'.repeat(5_000)].filter(scheme.isValid)).toEqual([]);
    expect(() => scheme.compare(text, '1.0')).toThrow('is not a version of');
  });

  it('takes time in proportion to the length of what it reads', () => {
    const hostile = [
      '1.'.repeat(255),
      '1'.repeat(512),
      `1${'_rc'.repeat(170)}!`,
      `1-${'a-'.repeat(255)}`,
      `1${'-1'.repeat(255)}`,
    ];
    for (const scheme of new Set(versionSchemes.values()))
      for (const text of hostile) if (scheme.isValid(text)) expect(scheme.compare(text, text)).toBe(0);
  });
});

describe('the list of schemes', () => {
  it('finds a scheme by ecosystem, with or without release, and by purl type', () => {
    expect(schemeOfEcosystem('Debian:12')).toBe(debianScheme);
    expect(schemeOfEcosystem('Ubuntu:22.04:LTS')).toBe(debianScheme);
    expect(schemeOfEcosystem('npm')).toBe(npmScheme);
    expect(schemeOfEcosystem('Rocky Linux:9')).toBe(rpmScheme);
    expect(schemeOfEcosystem('Red Hat:enterprise_linux:9')).toBe(rpmScheme);
    expect(schemeOfEcosystem('Wolfi')).toBe(alpineScheme);
    expect(schemeOfEcosystem('SwiftURL')).toBeUndefined();
    expect(schemeOfPurlType('deb')).toBe(debianScheme);
    expect(schemeOfPurlType('golang')).toBe(goScheme);
    expect(schemeOfPurlType('composer')).toBe(packagistScheme);
    expect(schemeOfPurlType('rpm')).toBe(rpmScheme);
    expect(schemeOfPurlType('swift')).toBeUndefined();
  });
});
