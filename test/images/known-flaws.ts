/**
 * Which advisories apply to what is installed in an image's root, found without any of our own: the tools in the image say
 * what is installed, as what source; the ecosystem's own tool says which version is before which; and between them stands
 * what the OSV schema says under "Evaluation", written down once more.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { installed, isThere, lines, output } from './installed.ts';
import { jarPackages } from './jars.ts';
import type { Explained } from './same-inside.ts';

export interface Installed {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

/**
 * What advisories name: of Debian's packages their sources.
 * @param explained where a tool is wrong about a package, and what it is instead
 */
export async function namedByAdvisories(
  root: string,
  explained: readonly Explained[],
): Promise<readonly Installed[]> {
  const release = await osRelease(root);
  const wrong = new Set(explained.map(({ said }) => said));
  const said = [...(await installed(root)), ...(await jarPackages(root))].filter((line) => !wrong.has(line));
  const named = [...said, ...explained.flatMap(({ listed = [] }) => listed)].flatMap((line): Installed[] => {
    const [type = '', name = '', version = ''] = line.split(' ');
    const ecosystem = type === 'rpm' ? release : ecosystems[type];
    return ecosystem === undefined ? [] : [{ ecosystem, name, version }];
  });
  return unique([...(await debianSources(root, release)), ...named], (one) => Object.values(one).join(' '));
}

const ecosystems: Readonly<Record<string, string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  gem: 'RubyGems',
  golang: 'Go',
  maven: 'Maven',
};

async function osRelease(root: string): Promise<string> {
  if (!(await isThere(join(root, 'etc/os-release')))) return '';
  const text = await readFile(join(root, 'etc/os-release'), 'utf8');
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const version = value('VERSION_ID');
  return value('ID') === 'debian' ? `Debian:${version}` : `AlmaLinux:${version.split('.')[0]}`;
}

async function debianSources(root: string, ecosystem: string): Promise<Installed[]> {
  const database = join(root, 'var/lib/dpkg');
  if (!(await isThere(database))) return [];
  const fields = ['db:Status-Status', 'source:Package', 'source:Version'].map((field) => `\${${field}}`);
  const argv = ['-W', `--admindir=${database}`, `-f=${fields.join(' ')}\\n`];
  return lines(await output('dpkg-query', argv)).flatMap((line) => {
    const [state, name = '', version = ''] = line.split(' ');
    return state === 'config-files' ? [] : [{ ecosystem, name, version }];
  });
}

/** Says of many pairs of versions, for each, whether the first is before (-1), after (1) or like (0) the second. */
export interface Comparer {
  readonly tool: string;
  readonly runs: boolean;
  order(pairs: readonly Pair[], root: string): Promise<readonly number[]>;
}

type Pair = readonly [string, string];

const dpkg = `while read -r a b; do
  if dpkg --compare-versions "$a" lt "$b"; then echo -1
  elif dpkg --compare-versions "$a" eq "$b"; then echo 0
  else echo 1; fi; done`;
const python = `import sys
from pip._vendor.packaging.version import Version
for line in sys.stdin:
    a, b = map(Version, line.split())
    print((a > b) - (a < b))`;
const ruby =
  'STDIN.each_line { |line| a, b = line.split.map { |text| Gem::Version.new(text) }; puts a <=> b }';
const mavenJar = '/usr/share/java/maven-artifact-3.x.jar';
const mavenMain = 'org.apache.maven.artifact.versioning.ComparableVersion';

/** Semantic Versioning 2.0.0, item 11: numbers, then what comes before a release, part by part. */
function semanticOrder([a, b]: Pair): number {
  const [one, other] = [semanticParts(a), semanticParts(b)];
  for (let at = 0; at < 3; at += 1)
    if (one.numbers[at] !== other.numbers[at])
      return Number(one.numbers[at] ?? 0) - Number(other.numbers[at] ?? 0) < 0 ? -1 : 1;
  if (one.before.length === 0 || other.before.length === 0)
    return Math.sign(other.before.length - one.before.length);
  for (const [at, part] of one.before.entries()) {
    const against = other.before[at];
    if (against === undefined) return 1;
    if (part === against) continue;
    const [isNumber, againstIsNumber] = [/^\d+$/.test(part), /^\d+$/.test(against)];
    if (isNumber !== againstIsNumber) return isNumber ? -1 : 1;
    return (isNumber ? Number(part) < Number(against) : part < against) ? -1 : 1;
  }
  return one.before.length < other.before.length ? -1 : 0;
}

function semanticParts(version: string) {
  const [, numbers = '', before] = /^v?(\d+(?:\.\d+)*)(?:-([^+]+))?/.exec(version) ?? [];
  const filled = [...numbers.split('.'), '0', '0'].slice(0, 3).map(Number);
  return { numbers: filled, before: before?.split('.') ?? [] };
}

/** By the ecosystem, without its release. */
export const comparers: Readonly<Record<string, Comparer>> = {
  Debian: {
    tool: 'dpkg',
    runs: succeeds('dpkg', ['--version']),
    order: (pairs) => asked('sh', ['-c', dpkg], pairs),
  },
  AlmaLinux: {
    tool: 'rpm',
    runs: succeeds('rpm', ['--version']),
    order: async (pairs) => {
      const calls = pairs.map(([a, b]) => `print(rpm.vercmp("${a}", "${b}") .. "\\n")`).join(' ');
      return lines(await output('rpm', ['--eval', `%{lua:${calls}}`])).map(Number);
    },
  },
  npm: {
    tool: "npm's semver",
    runs: true,
    order: async (pairs) => pairs.map(([a, b]) => semver.compare(a, b)),
  },
  Go: {
    tool: 'semantic versioning as it is written',
    runs: true,
    order: async (pairs) => pairs.map(semanticOrder),
  },
  PyPI: {
    tool: "Python's packaging",
    runs: succeeds('python3', ['-c', 'from pip._vendor.packaging.version import Version']),
    order: (pairs) => asked('python3', ['-c', python], pairs),
  },
  RubyGems: {
    tool: "the image's own RubyGems",
    runs: true,
    order: (pairs, root) => asked('chroot', [root, 'ruby', '-e', ruby], pairs),
  },
  Maven: {
    tool: "Maven's ComparableVersion",
    runs: existsSync(mavenJar) && succeeds('java', ['-version']),
    order: async (pairs) => {
      const found: number[] = [];
      for (let at = 0; at < pairs.length; at += argumentsAtOnce) {
        const some = pairs.slice(at, at + argumentsAtOnce);
        const compared = await output('java', ['-cp', mavenJar, mavenMain, ...some.flat()]);
        // It compares each with the next, so that every second answer is about a pair.
        const signs = lines(compared).flatMap((line) => /^ {3}\S+ ([<=>])/.exec(line)?.[1] ?? []);
        for (let pair = 0; pair < signs.length; pair += 2) found.push('<=>'.indexOf(signs[pair] ?? '') - 1);
      }
      return found;
    },
  },
};

const argumentsAtOnce = 500;

export function comparerOf(ecosystem: string): Comparer | undefined {
  return comparers[ecosystem.split(':', 1)[0] ?? ''];
}

/** As OSV documents say it, as far as it matters here. */
export interface Advisory {
  readonly id: string;
  readonly withdrawn?: string;
  readonly affected?: readonly Affected[];
}

interface Affected {
  readonly package?: { readonly ecosystem: string; readonly name: string };
  readonly ranges?: readonly { readonly type: string; readonly events: readonly Event[] }[];
  readonly versions?: readonly string[];
}

type Event = Readonly<Partial<Record<'introduced' | 'fixed' | 'last_affected' | 'limit', string>>>;

/** `ADVISORY NAME VERSION` of each advisory that applies to a package of this ecosystem. */
export async function knownFlaws(
  packages: readonly Installed[],
  advisories: readonly Advisory[],
  root: string,
): Promise<readonly string[]> {
  const asked = packages.flatMap((found) =>
    advisories
      .filter(({ withdrawn }) => withdrawn === undefined)
      .flatMap(({ id, affected = [] }) =>
        affected.filter((entry) => names(entry, found)).map((entry) => ({ id, found, entry })),
      ),
  );
  const pairs = asked.flatMap(({ found, entry }) => pairsOf(found.version, entry));
  const before = await orders(packages[0]?.ecosystem ?? '', pairs, root);
  return unique(
    asked
      .filter(({ found, entry }) => applies(found.version, entry, before))
      .map(({ id, found }) => `${id} ${found.name} ${found.version}`),
    (line) => line,
  ).toSorted();
}

function names({ package: named }: Affected, { ecosystem, name }: Installed): boolean {
  if (named?.ecosystem !== ecosystem) return false;
  // PEP 503: a name has many spellings.
  const plain = (text: string) => (ecosystem === 'PyPI' ? text.toLowerCase().replace(/[-_.]+/g, '-') : text);
  return plain(named.name) === plain(name);
}

/** Whether a is before b. */
type Before = (a: string, b: string) => boolean;

async function orders(ecosystem: string, pairs: readonly Pair[], root: string): Promise<Before> {
  const wanted = unique(pairs, (pair) => pair.join(' '));
  const signs = wanted.length === 0 ? [] : ((await comparerOf(ecosystem)?.order(wanted, root)) ?? []);
  if (signs.length !== wanted.length)
    throw new Error(`${signs.length} answers to ${wanted.length} questions`);
  const known = new Map(wanted.map((pair, at) => [pair.join(' '), signs[at]]));
  return (a, b) => {
    if (a === b || b === '0') return false;
    if (a === '0') return true;
    const sign = known.get(`${a} ${b}`);
    if (sign === undefined) throw new Error(`nobody was asked whether ${a} is before ${b}`);
    return sign < 0;
  };
}

function pairsOf(version: string, { ranges = [] }: Affected): readonly Pair[] {
  return ranges
    .filter(({ type }) => type !== 'GIT')
    .flatMap(({ events }) => {
      const bounds = [version, ...events.flatMap((event) => Object.values(event))].filter(
        (one) => one !== '0',
      );
      return bounds.flatMap((a) => bounds.filter((b) => a !== b).map((b): Pair => [a, b]));
    });
}

/** OSV schema, "Evaluation". */
function applies(version: string, { ranges = [], versions = [] }: Affected, before: Before): boolean {
  if (versions.includes(version)) return true;
  return ranges.some(({ type, events }) => {
    if (type === 'GIT') return false;
    const limited = events.flatMap(({ limit }) => limit ?? []);
    if (limited.length > 0 && !limited.some((limit) => limit === '*' || before(version, limit))) return false;
    const at = (event: Event) => event.introduced ?? event.fixed ?? event.last_affected ?? '0';
    const sorted = events.toSorted((a, b) => (before(at(a), at(b)) ? -1 : before(at(b), at(a)) ? 1 : 0));
    return sorted.reduce((vulnerable, event) => {
      if (event.introduced !== undefined && !before(version, event.introduced)) return true;
      if (event.fixed !== undefined && !before(version, event.fixed)) return false;
      if (event.last_affected !== undefined && before(event.last_affected, version)) return false;
      return vulnerable;
    }, false);
  });
}

function unique<T>(all: readonly T[], key: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()];
}

async function asked(program: string, argv: readonly string[], pairs: readonly Pair[]): Promise<number[]> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(pairs.map((pair) => `${pair.join(' ')}\n`).join(''));
  const chunks = await child.stdout.setEncoding('utf8').toArray();
  return lines(chunks.join('')).map(Number);
}

function succeeds(program: string, argv: readonly string[]): boolean {
  return spawnSync(program, argv).status === 0;
}
