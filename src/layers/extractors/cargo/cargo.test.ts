import { expect, test } from 'vitest';
import { dependencySection, elfOf, machOOf } from '../../../../test/support/executables.ts';
import { limits } from '../../../lib/limits.ts';
import { contentOf } from '../../file-content.ts';
import { cargo } from './cargo.ts';

const extract = (bytes: Uint8Array) =>
  cargo.extract({ path: 'rg', kind: 'file', sizeBytes: bytes.length, mode: 0o755 }, contentOf(bytes, limits));
const withSection = (bytes: Uint8Array) => extract(elfOf([{ name: '.dep-v0', bytes }]));

const crates = [
  { name: 'ripgrep', version: '14.0.0', source: 'local', root: true, dependencies: [1] },
  { name: 'regex', version: '1.5.4', source: 'crates.io' },
  { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
];

test('a program that was built to be audited names its crates, those of the build left out', () => {
  expect(withSection(dependencySection(crates))).toEqual({
    packages: [
      { purl: 'pkg:cargo/ripgrep@14.0.0', ecosystem: '', name: 'ripgrep', version: '14.0.0' },
      { purl: 'pkg:cargo/regex@1.5.4', ecosystem: 'crates.io', name: 'regex', version: '1.5.4' },
    ],
  });
  expect(extract(machOOf('.dep-v0', dependencySection(crates))).packages).toHaveLength(2);
});

test('a program without the section names none', () => {
  expect(extract(elfOf([{ name: '.text', bytes: Buffer.alloc(10) }]))).toEqual({});
});

test('what of the list is broken hides nothing else', () => {
  const found = withSection(dependencySection([...crates, { name: 'x' }, 5]));
  expect(found.packages).toHaveLength(2);
  expect(found.problem).toBe('2 crates without name or version');
});

test.each([
  ['is no zlib stream', Buffer.from('nothing'), "a list of crates that can't be unpacked"],
  ['unpacks to very much', dependencySection('x'.repeat(9 << 20)), "a list of crates that can't be unpacked"],
  ['lists nothing', dependencySection(5), 'a list of crates without crates'],
  [
    'is deep',
    dependencySection(JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)),
    'JSON that is more than 128 deep',
  ],
  ['is large', Buffer.alloc(2 << 20), 'a list of crates of 2097152 bytes'],
])('a list that %s is told so', (_, bytes, reason) => {
  expect(() => withSection(bytes)).toThrow(reason);
});
