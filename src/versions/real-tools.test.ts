import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signOf } from '../../test/support/version-facts.ts';
import { versionSchemes } from './schemes.ts';

type Pair = readonly [string, string];

/** A tool that is asked about many pairs at once, and answers with a line of `<`, `=` or `>` for each. */
interface Tool {
  readonly name: string;
  readonly ecosystem: string;
  /** A version is a 1 and some of these. */
  readonly parts: readonly string[];
  readonly runs: boolean;
  ask(pairs: readonly Pair[]): readonly string[];
}

const lines = (pairs: readonly Pair[]) => pairs.map((pair) => `${pair.join(' ')}\n`).join('');
const answers = (command: string, args: readonly string[], input = '') =>
  spawnSync(command, args, { input, encoding: 'utf8' }).stdout.trim().split('\n');
const succeeds = (command: string, args: readonly string[]) => spawnSync(command, args).status === 0;

const dpkg = `while read -r a b; do
  if dpkg --compare-versions "$a" lt "$b"; then echo "<"
  elif dpkg --compare-versions "$a" eq "$b"; then echo "="
  else echo ">"; fi; done`;
const python = `import sys
from pip._vendor.packaging.version import Version
for line in sys.stdin:
    a, b = map(Version, line.split())
    print('<' if a < b else '>' if a > b else '=')`;
const ruby = `STDIN.each_line { |line| a, b = line.split.map { |text| Gem::Version.new(text) }; puts '<=>'[(a <=> b) + 1] }`;
const mavenJar = '/usr/share/java/maven-artifact-3.x.jar';

const tools: readonly Tool[] = [
  {
    name: 'dpkg',
    ecosystem: 'Debian',
    parts: ['.0', '.1', '.10', 'a', 'Z', '~', '+b1', '-1', '-01', '~rc1'],
    runs: succeeds('dpkg', ['--version']),
    ask: (pairs) => answers('sh', ['-c', dpkg], lines(pairs)),
  },
  {
    name: 'rpm',
    ecosystem: 'Red Hat',
    parts: ['.0', '.1', '.01', '.10', 'a', 'B', '~', '^', '_', '+', '..', '1'],
    runs: succeeds('rpm', ['--version']),
    ask: (pairs) => {
      const calls = pairs.map(([a, b]) => `print(rpm.vercmp("${a}", "${b}") .. "\\n")`).join(' ');
      return answers('rpm', ['--eval', `%{lua:${calls}}`]).map((order) => '<=>'[Number(order) + 1] ?? order);
    },
  },
  {
    name: "Python's packaging",
    ecosystem: 'PyPI',
    parts: ['.0', '.1', '.10', 'a1', 'b', 'rc2', '.post1', '.dev0', '-1', '+local.1', '+1', 'preview3'],
    runs: succeeds('python3', ['-c', 'from pip._vendor.packaging.version import Version']),
    ask: (pairs) => answers('python3', ['-c', python], lines(pairs)),
  },
  {
    name: 'RubyGems',
    ecosystem: 'RubyGems',
    parts: ['.0', '.1', '.10', '.00', '.a', '.a1', '.B', '.1b', '-x', '-1', '.rc.0'],
    runs: succeeds('ruby', ['-e', 'Gem::Version']),
    ask: (pairs) => answers('ruby', ['-e', ruby], lines(pairs)),
  },
  {
    name: "Maven's ComparableVersion",
    ecosystem: 'Maven',
    parts: [
      '.0',
      '.1',
      '-1',
      '-rc1',
      '.a',
      '-ga',
      '-SNAPSHOT',
      'b2',
      '-jre',
      '.Final',
      '-sp',
      '-x',
      '-0',
      '.M1',
    ],
    runs: existsSync(mavenJar) && succeeds('java', ['-version']),
    ask: (pairs) => {
      const main = 'org.apache.maven.artifact.versioning.ComparableVersion';
      const compared = answers('java', ['-cp', mavenJar, main, ...pairs.flat()]);
      // It compares each with the next, so that every second answer is about a pair.
      return compared
        .flatMap((line) => /^ {3}\S+ ([<=>])/.exec(line)?.[1] ?? [])
        .filter((_, at) => at % 2 === 0);
    },
  },
];

describe.each(tools)('$name', ({ name, ecosystem, parts, runs, ask }) => {
  it.skipIf(!runs)(
    `agrees about generated versions of ${ecosystem} (skipped where the machine has no ${name})`,
    () => {
      const scheme = versionSchemes.get(ecosystem);
      if (scheme === undefined) throw new Error(`no scheme of ${ecosystem}`);
      const version = fc
        .array(fc.constantFrom(...parts), { maxLength: 4 })
        .map((chosen) => `1${chosen.join('')}`)
        .filter(scheme.isValid);
      const pairs = fc.sample(fc.tuple(version, version), { seed: 7, numRuns: 300 });
      const theirs = ask(pairs);
      expect(theirs).toHaveLength(pairs.length);
      const differing = pairs.flatMap(([a, b], at) => {
        const ours = signOf(scheme, a, b);
        return ours === theirs[at] ? [] : [`${a} ${theirs[at]} ${b}, not ${ours}`];
      });
      expect(differing).toEqual([]);
    },
  );
});
