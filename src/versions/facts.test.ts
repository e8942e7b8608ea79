import { expect, it } from 'vitest';
import { checkFacts, versionFacts } from '../../test/support/version-facts.ts';
import { versionSchemes } from './schemes.ts';

/** What others published about the order of versions, and where it is not what the ecosystem's own tool says. */
interface FactFile {
  readonly ecosystem: string;
  readonly file: string;
  readonly used: number;
  /** How many facts are about texts that the tool does not take as versions. */
  readonly refused?: { readonly count: number; readonly because: string };
  readonly wrong?: Readonly<Record<string, string>>;
}

const threeNumbers = {
  count: 3,
  because: 'semantic versions have three numbers, which the libraries keep below 2^53',
};

const files: readonly FactFile[] = [
  { ecosystem: 'npm', file: 'node-semver.txt', used: 20 },
  ...['npm', 'Go', 'crates.io', 'Hex', 'Bitnami'].map((ecosystem) => ({
    ecosystem,
    file: 'scalibr-semver.txt',
    used: 83,
    refused: threeNumbers,
  })),
  { ecosystem: 'Pub', file: 'scalibr-pub.txt', used: 97, refused: threeNumbers },
  { ecosystem: 'PyPI', file: 'pep440-order.txt', used: 4_186 },
  { ecosystem: 'PyPI', file: 'pep440-normalise.txt', used: 100 },
  {
    ecosystem: 'PyPI',
    file: 'scalibr-pypi.txt',
    used: 26,
    refused: { count: 11, because: "versions of before PEP 440, which Python's packaging refuses" },
  },
  {
    ecosystem: 'RubyGems',
    file: 'scalibr-rubygems.txt',
    used: 23,
    refused: { count: 2, because: 'Gem::Version: malformed version number string 1beta' },
  },
  {
    ecosystem: 'Packagist',
    file: 'scalibr-packagist.txt',
    used: 82,
    refused: { count: 13, because: 'Composer: invalid version string, or a branch, which has no order' },
    wrong: { '1.0.0 > 1.0': 'Composer fills both to four numbers; the fact is of PHP alone' },
  },
  { ecosystem: 'NuGet', file: 'scalibr-nuget.txt', used: 34 },
  { ecosystem: 'Maven', file: 'maven-comparable.txt', used: 562 },
  {
    ecosystem: 'Maven',
    file: 'scalibr-maven.txt',
    used: 98,
    wrong: { '1-1 = 1-ga-1': 'Maven 3.8.7 says greater' },
  },
  { ecosystem: 'CRAN', file: 'scalibr-cran.txt', used: 20 },
  { ecosystem: 'Hackage', file: 'scalibr-hackage.txt', used: 11 },
  { ecosystem: 'Debian', file: 'scalibr-debian.txt', used: 27 },
  { ecosystem: 'Ubuntu', file: 'dpkg.txt', used: 43 },
  {
    ecosystem: 'Alpine',
    file: 'apk-tools.txt',
    used: 715,
    refused: { count: 2, because: 'apk: 23_foo and 1.0bc are invalid' },
  },
  {
    ecosystem: 'Wolfi',
    file: 'scalibr-alpine.txt',
    used: 720,
    refused: { count: 37, because: 'apk calls one of the two invalid' },
  },
  { ecosystem: 'Rocky Linux', file: 'rpm-vercmp.txt', used: 91 },
  {
    ecosystem: 'AlmaLinux',
    file: 'go-rpm-version.txt',
    used: 4_298,
    refused: { count: 131, because: 'rpm allows no dash in a version: 1-2-3-4' },
  },
  {
    ecosystem: 'Red Hat',
    file: 'scalibr-redhat.txt',
    used: 127,
    refused: { count: 35, because: 'rpm: an epoch is a number, a release is not empty, letters are ASCII' },
  },
];

it.each(files)('$ecosystem agrees with $file', ({ ecosystem, file, used, refused, wrong = {} }) => {
  const scheme = versionSchemes.get(ecosystem);
  if (scheme === undefined) throw new Error(`no scheme of ${ecosystem}`);
  expect(checkFacts(scheme, versionFacts(file))).toEqual({
    used,
    refused: refused?.count ?? 0,
    wrong: Object.keys(wrong),
  });
});
