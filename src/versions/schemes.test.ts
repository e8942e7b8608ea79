import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debianScheme } from './debian.ts';
import { mavenScheme } from './maven.ts';
import { schemeOfEcosystem, schemeOfPurlType } from './schemes.ts';
import { cratesScheme, goScheme, npmScheme } from './semver.ts';
import type { VersionScheme } from './version-scheme.ts';

const facts = (file: string) =>
  readFileSync(new URL(`../../test/fixtures/versions/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [a = '', sign = '', b = ''] = line.split(' ');
      return { a, sign, b };
    });

const signOf = (scheme: VersionScheme, a: string, b: string) => '<=>'[Math.sign(scheme.compare(a, b)) + 1];

function wrongFacts(scheme: VersionScheme, file: string) {
  const usable = facts(file).filter(({ a, b }) => scheme.isValid(a) && scheme.isValid(b));
  return { used: usable.length, wrong: usable.filter(({ a, sign, b }) => signOf(scheme, a, b) !== sign) };
}

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

describe.each([
  ['npm', npmScheme, npmVersion],
  ['Debian', debianScheme, debianVersion],
  ['Maven', mavenScheme, mavenVersion],
] as const)('%s versions', (_, scheme, version) => {
  it('are totally ordered', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(scheme.isValid(a)).toBe(true);
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
  it('agrees with the published facts', () => {
    expect(wrongFacts(npmScheme, 'node-semver.txt')).toEqual({ used: 20, wrong: [] });
    const semver = wrongFacts(npmScheme, 'scalibr-semver.txt');
    expect(semver.wrong).toEqual([]);
    expect(semver.used).toBeGreaterThanOrEqual(83);
  });

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

describe('goScheme and cratesScheme', () => {
  it('agree with the published facts', () => {
    for (const scheme of [goScheme, cratesScheme])
      expect(wrongFacts(scheme, 'scalibr-semver.txt').wrong).toEqual([]);
  });

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
    const [a = '', sign, b = ''] = fact.split(' ');
    expect(signOf(goScheme, a, b)).toBe(sign);
  });

  it('know that a module that was built from a working copy has no version', () => {
    expect(goScheme.isValid('(devel)')).toBe(false);
  });
});

describe('mavenScheme', () => {
  it('agrees with the published facts but for what Maven itself has changed its mind about', () => {
    const wrong = ['maven-comparable.txt', 'scalibr-maven.txt'].flatMap((file) => {
      const { used, wrong } = wrongFacts(mavenScheme, file);
      expect(used).toBeGreaterThan(90);
      return wrong;
    });
    expect(wrong).toEqual([
      { a: '2.0.a', sign: '<', b: '2-1' },
      { a: '1-1', sign: '=', b: '1-ga-1' },
    ]);
  });

  it.each([
    '2.14.1 < 2.17.1',
    '2.0-beta9 < 2.0',
    '9.0.0.M1 < 9.0.0',
    '4.3.30.RELEASE = 4.3.30',
    '31.1-jre > 31.1',
    '2.0.0 = 2',
  ])('%s', (fact) => {
    const [a = '', sign, b = ''] = fact.split(' ');
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
  it('agrees with the published facts', () => {
    expect(wrongFacts(debianScheme, 'scalibr-debian.txt')).toEqual({ used: 27, wrong: [] });
  });

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
    const [a = '', sign, b = ''] = fact.split(' ');
    expect(signOf(debianScheme, a, b)).toBe(sign);
  });

  it.each(['', '1.0-', '-1', 'a:1', '1_0', '1 0', '1:', ':1:', 'é'])(
    "knows that '%s' is no version",
    (text) => {
      expect(debianScheme.isValid(text)).toBe(false);
    },
  );

  it.skipIf(!existsSync('/usr/bin/dpkg'))(
    'agrees with dpkg on generated versions (where the machine has dpkg)',
    () => {
      const pairs = fc.sample(fc.tuple(debianVersion, debianVersion), { seed: 7, numRuns: 150 });
      const ours = pairs.map(([a, b]) => signOf(debianScheme, a, b));
      const script =
        'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo "<"; elif dpkg --compare-versions "$a" eq "$b"; then echo "="; else echo ">"; fi; done';
      const input = `${pairs.map((pair) => pair.join(' ')).join('\n')}\n`;
      const theirs = spawnSync('sh', ['-c', script], { input, encoding: 'utf8' }).stdout.trim().split('\n');
      const differing = pairs.flatMap(([a, b], index) =>
        ours[index] === theirs[index] ? [] : [`${a} ${theirs[index]} ${b}, not ${ours[index]}`],
      );
      expect(differing).toEqual([]);
    },
  );
});

describe('the list of schemes', () => {
  it('finds a scheme by ecosystem, with or without release, and by purl type', () => {
    expect(schemeOfEcosystem('Debian:12')).toBe(debianScheme);
    expect(schemeOfEcosystem('Ubuntu:22.04:LTS')).toBe(debianScheme);
    expect(schemeOfEcosystem('npm')).toBe(npmScheme);
    expect(schemeOfEcosystem('Hex')).toBeUndefined();
    expect(schemeOfPurlType('deb')).toBe(debianScheme);
    expect(schemeOfPurlType('golang')).toBe(goScheme);
    expect(schemeOfPurlType('hex')).toBeUndefined();
  });
});
