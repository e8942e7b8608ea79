import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type ElfOptions,
  elfOf,
  goInfo,
  machOOf,
  oldGoInfo,
  peOf,
} from '../../../../test/support/executables.ts';
import { limits } from '../../../lib/limits.ts';
import type { FileContent } from '../../extractor.ts';
import { contentOf } from '../../file-content.ts';
import { go } from './go.ts';

const header = { path: 'app', kind: 'file', sizeBytes: 10_000, mode: 0o755 } as const;
const extract = (bytes: Uint8Array) => go.extract(header, contentOf(bytes, limits));
const purls = (bytes: Uint8Array) => extract(bytes).packages?.map(({ purl }) => purl);

const modules = [
  'path\texample.com/shop/cmd/server',
  'mod\texample.com/shop\tv1.2.3\th1:abc=',
  'dep\tgithub.com/BurntSushi/toml\tv0.3.1\th1:abc=',
  'dep\tgithub.com/docker/distribution\tv2.8.2+incompatible\th1:abc=',
  'dep\tgolang.org/x/net\tv0.1.0',
  '=>\tgithub.com/fork/net\tv0.1.1-patched\th1:abc=',
  'dep\texample.com/local\tv0.0.0',
  '=>\t./local\t\t',
  'build\t-compiler=gc',
  '',
].join('\n');

const expected = (stdlib: string) => [
  `pkg:golang/stdlib@${stdlib}`,
  'pkg:golang/example.com/shop@v1.2.3',
  'pkg:golang/github.com/BurntSushi/toml@v0.3.1',
  'pkg:golang/github.com/docker/distribution@v2.8.2+incompatible',
  'pkg:golang/github.com/fork/net@v0.1.1-patched',
];

describe('a Go program', () => {
  test('names its modules, as they were replaced, and the library that it was built with', () => {
    const bytes = elfOf([
      { name: '.text', bytes: Buffer.alloc(100) },
      { name: '.go.buildinfo', bytes: goInfo({ modules }) },
    ]);
    expect(purls(bytes)).toEqual(expected('1.19.8'));
    expect(extract(bytes).packages?.[2]).toMatchObject({
      ecosystem: 'Go',
      name: 'github.com/BurntSushi/toml',
      version: 'v0.3.1',
    });
  });

  test.each<[string, ElfOptions]>([
    ['of 64 bits', {}],
    ['of 32 bits', { wide: false }],
    ['of big-endian machines', { littleEndian: false }],
    ['of 32 bits, big-endian', { wide: false, littleEndian: false }],
    ['without a table of sections', { stripped: true }],
  ])('from before Go 1.18 is read by its addresses: %s', (_, options) => {
    const address = 0x400000;
    const bytes = elfOf(
      [
        { name: '.text', bytes: Buffer.alloc(64), address: 0x1000 },
        { name: '.go.buildinfo', bytes: oldGoInfo({ modules }, address, options), address },
      ],
      options,
    );
    const found = options.stripped
      ? elfOf([{ name: '.data', bytes: oldGoInfo({ modules }, address, options), address }], options)
      : bytes;
    expect(purls(found)).toEqual(expected('1.17.2'));
  });

  test('for Windows or a Mac is read as well', () => {
    expect(purls(peOf(goInfo({ modules })))).toEqual(expected('1.19.8'));
    expect(purls(machOOf('__go_buildinfo', goInfo({ modules })))).toEqual(expected('1.19.8'));
  });

  test('built without modules names the library alone', () => {
    expect(purls(elfOf([{ name: '.go.buildinfo', bytes: goInfo() }]))).toEqual(['pkg:golang/stdlib@1.19.8']);
  });

  test('built in its own folder is of no version', () => {
    const bytes = elfOf([
      { name: '.go.buildinfo', bytes: goInfo({ modules: 'path\tm\nmod\texample.com/m\t(devel)\t\n' }) },
    ]);
    expect(extract(bytes).packages?.[1]).toMatchObject({ name: 'example.com/m', version: '(devel)' });
  });

  test.each([
    ['go1.20', '1.20.0'],
    ['go1.21rc2', '1.21.0-rc.2'],
    ['go1.21.5 X:boringcrypto', '1.21.5'],
    ['go1.22.1-vendor', '1.22.1'],
  ])('of %s has stdlib %s', (goVersion, version) => {
    expect(purls(elfOf([{ name: '.go.buildinfo', bytes: goInfo({ goVersion }) }]))).toEqual([
      `pkg:golang/stdlib@${version}`,
    ]);
  });

  test('of a Go that was never released is unknown, with the modules that it has', () => {
    const found = extract(
      elfOf([{ name: '.go.buildinfo', bytes: goInfo({ goVersion: 'devel go1.20-abc', modules }) }]),
    );
    expect(found.problem).toBe("built by a Go of no released version: 'devel go1.20-abc'");
    expect(found.packages).toHaveLength(4);
  });
});

test('another program holds nothing', () => {
  expect(extract(elfOf([{ name: '.text', bytes: Buffer.alloc(100) }]))).toEqual({});
  expect(extract(Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100)]))).toEqual({});
});

test.each([
  [
    'an absurd number of sections',
    (bytes: Buffer) => bytes.writeUInt16LE(0xffff, 60),
    '65535 sections in an executable; at most 4096 are read',
  ],
  [
    'a table beyond the end',
    (bytes: Buffer) => bytes.writeBigUInt64LE(1n << 60n, 40),
    'the executable is cut off',
  ],
  ['sections of another size', (bytes: Buffer) => bytes.writeUInt16LE(9, 58), 'a broken ELF section table'],
])('a hostile executable with %s ends with the reason', (_, change, reason) => {
  const bytes = elfOf([{ name: '.go.buildinfo', bytes: goInfo() }]);
  change(bytes);
  expect(() => extract(bytes)).toThrow(reason);
});

test('a length that is longer than the file is told so', () => {
  const info = goInfo();
  info.fill(0xff, 32, 40);
  expect(() => extract(elfOf([{ name: '.go.buildinfo', bytes: info }]))).toThrow(
    /Go's build information has/,
  );
});

/** A file of this machine, read where it is asked for. */
function opened<T>(path: string, use: (content: FileContent) => T): T {
  const file = openSync(path, 'r');
  try {
    const sizeBytes = fstatSync(file).size;
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, sizeBytes - offset)));
      readSync(file, bytes, 0, bytes.length, offset);
      return bytes;
    };
    return use({ sizeBytes, read, all: () => read(0, sizeBytes) });
  } finally {
    closeSync(file);
  }
}

const program = '/usr/sbin/runc';
test.skipIf(!existsSync(program))(
  'a real one says what Go it was built with, as it prints itself (skipped where there is no runc)',
  () => {
    const printed = /^go: go(\S+)$/m.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1];
    expect(opened(program, (content) => go.extract(header, content)).packages?.[0]?.version).toBe(printed);
  },
);
