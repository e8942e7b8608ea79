import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { parseGemspec } from './gemspec-file.ts';
import { rubygems } from './rubygems.ts';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [rubygems], clock: new ManualClock() });
}

test.each([
  ['usr/share/rubygems-integration/all/specifications/rack-2.2.6.4.gemspec', true],
  ['usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec', true],
  ['specifications/a-1.gemspec', true],
  ['var/lib/gems/3.1.0/gems/rack-2.2.6.4/rack.gemspec', false],
  ['usr/lib/ruby/gems/3.1.0/specifications/old/a-1.gemspec', false],
  ['usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec.bak', false],
])('%s is an installed gem: %s', (path, expected) => {
  expect(rubygems.wants({ path, kind: 'file', sizeBytes: 1, mode: 0o644 })).toBe(expected);
});

test('a gem has the name, version, platform and licences of its specification', async () => {
  const path = 'var/lib/gems/3.1.0/specifications/nokogiri-1.13.10-x86_64-linux.gemspec';
  const text = `# -*- encoding: utf-8 -*-
# stub: nokogiri 1.13.10 x86_64-linux lib

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.13.10"
  s.platform = "x86_64-linux".freeze
  s.licenses = ["MIT".freeze, "Ruby".freeze]
end
`;
  expect((await inspect([{ name: path, text }])).packages).toEqual([
    {
      purl: 'pkg:gem/nokogiri@1.13.10?platform=x86_64-linux',
      ecosystem: 'RubyGems',
      name: 'nokogiri',
      version: '1.13.10',
      path,
      extractor: 'rubygems',
      license: 'MIT OR Ruby',
    },
  ]);
});

const block = (...lines: readonly string[]) =>
  `Gem::Specification.new do |s|\n  ${lines.join('\n  ')}\nend\n`;

test.each([
  [block('s.name = "a"', "s.version = '1.0'", "s.license = 'MIT'"), ['a', '1.0', 'ruby', 'MIT']],
  [
    block('s.name = %q{a}', 's.name = "b"', 's.version = Gem::Version.new("2")'),
    ['b', '2', 'ruby', undefined],
  ],
  [
    block('s.name = "a"', 's.version = "1"', 's.platform = Gem::Platform.new(["x86", "mswin32"])'),
    ['a', '1', 'x86-mswin32', undefined],
  ],
])('without the stub line its assignments count', (text, [name, version, platform, license]) => {
  expect(parseGemspec(text)).toEqual({ name, version, platform, license });
});

test('a specification that would have to be run is unknown, and takes nothing else down', async () => {
  const found = await inspect([
    { name: 'specifications/a-1.gemspec', text: block('s.name = "a"', 's.version = A::VERSION') },
    { name: 'specifications/b-1.gemspec', text: block('s.name = "b"', 's.version = "1"') },
  ]);
  expect(found.packages.map(({ name }) => name)).toEqual(['b']);
  expect(found.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: 'specifications/a-1.gemspec: a does not plainly say its version',
  });
});

const gem = '/usr/bin/gem';

describe.skipIf(!existsSync(gem))('against `gem list` (skipped where there is no gem)', () => {
  test("this machine's gems, default ones and those of Debian's packages too, read as they are listed", async () => {
    const folders = execFileSync(gem, ['env', 'gempath'], { encoding: 'utf8' }).trim().split(':');
    const files = folders.flatMap((folder) => globSync(`${folder}/specifications/{,default/}*.gemspec`));
    const entries = await Promise.all(
      files.map(async (file) => ({ name: file.slice(1), bytes: await readFile(file) })),
    );
    const found = await inspect(entries);
    expect(found.extractions[0]?.state).toBe('done');
    expect(new Set(found.packages.map(({ name, version }) => `${name} ${version}`))).toEqual(listed());
  });

  /** `json (2.7.0, default: 2.6.1)` */
  function listed(): Set<string> {
    const lines = execFileSync(gem, ['list', '--local'], { encoding: 'utf8' }).trim().split('\n');
    return new Set(
      lines.flatMap((line) => {
        const [, name, versions = ''] = /^(\S+) \((.*)\)$/.exec(line) ?? [];
        return name === undefined
          ? []
          : versions
              .split(', ')
              .map((version) => `${name} ${version.replace('default: ', '').split(' ')[0]}`);
      }),
    );
  }
});
