import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { parseMetadata } from './metadata-file.ts';
import { pypi } from './pypi.ts';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [pypi], clock: new ManualClock() });
}

const folder = 'usr/lib/python3/dist-packages';
const metadata = (name: string, version: string, more = '') =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${more}\nA description.\n`;

test.each([
  [`${folder}/Django-3.2.dist-info/METADATA`, true],
  [`${folder}/PyJWT-2.6.0.egg-info/PKG-INFO`, true],
  [`${folder}/crcmod-1.7.egg-info`, true],
  [`${folder}/a.egg/EGG-INFO/PKG-INFO`, true],
  ['a.dist-info/METADATA', true],
  [`${folder}/pkg/_vendor/b-1.0.dist-info/METADATA`, true],
  [`${folder}/Django-3.2.dist-info/RECORD`, false],
  [`${folder}/Django-3.2.dist-info/licenses/METADATA`, false],
  ['src/a-1.0/PKG-INFO', false],
  ['etc/METADATA', false],
  ['.egg-info', false],
])('%s is a package: %s', (path, expected) => {
  expect(pypi.wants({ path, kind: 'file', sizeBytes: 1, mode: 0o644 })).toBe(expected);
  expect(pypi.wants({ path, kind: 'link', sizeBytes: 0, mode: 0o777 })).toBe(false);
});

test('a package is named as advisories name it, and known by its own file', async () => {
  const found = await inspect([
    { name: `${folder}/Zope.Interface-5.4.0.dist-info/METADATA`, text: metadata('Zope.Interface', '5.4.0') },
    { name: `${folder}/a.egg-info`, text: metadata('A__b.-C', '1.0rc1', 'License: MIT\n') },
  ]);
  expect(found.packages).toEqual([
    {
      purl: 'pkg:pypi/zope-interface@5.4.0',
      ecosystem: 'PyPI',
      name: 'zope-interface',
      version: '5.4.0',
      path: `${folder}/Zope.Interface-5.4.0.dist-info/METADATA`,
      extractor: 'pypi',
    },
    {
      purl: 'pkg:pypi/a-b-c@1.0rc1',
      ecosystem: 'PyPI',
      name: 'a-b-c',
      version: '1.0rc1',
      path: `${folder}/a.egg-info`,
      extractor: 'pypi',
      license: 'MIT',
    },
  ]);
});

test.each([
  ['License: BSD\nLicense-Expression: BSD-3-Clause\n', 'BSD-3-Clause'],
  ['License: Apache 2.0\nClassifier: License :: OSI Approved :: MIT License\n', 'Apache 2.0'],
  ['License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n', 'MIT License'],
  [
    'License: Permission is hereby granted\n        to everyone\nClassifier: License :: OSI Approved\nClassifier: License :: A\nClassifier: License :: B\n',
    'A OR B',
  ],
  [`License: ${'x'.repeat(101)}\n`, undefined],
  ['Classifier: Topic :: Security\n', undefined],
])('states its licence in several ways: %j', (fields, license) => {
  expect(parseMetadata(metadata('a', '1', fields))).toEqual({ name: 'a', version: '1', license });
});

test('the head alone counts, however long the description, whatever the line ends', () => {
  const parsed = { name: 'a', version: '1', license: undefined };
  expect(parseMetadata('Name: a\r\nVersion: 1\r\n\r\nVersion: 2\r\nLicense: MIT\r\n')).toEqual(parsed);
  expect(parseMetadata('Description: x\n  Name: no\nname: a\nVERSION:1')).toEqual(parsed);
});

test('one without name or version is unknown, and takes nothing else down', async () => {
  const found = await inspect([
    { name: 'a-1.dist-info/METADATA', text: 'Name: a\n' },
    { name: 'b-1.dist-info/METADATA', text: metadata('b', '1') },
    { name: 'c-1.dist-info/METADATA', text: '\0' },
  ]);
  expect(found.packages.map(({ name }) => name)).toEqual(['b']);
  expect(found.extractions).toEqual([
    {
      extractor: 'pypi',
      version: 1,
      state: 'unknown',
      reason: 'a-1.dist-info/METADATA: a has no version (and 1 more)',
    },
  ]);
});

test('of 50 MB only the beginning is read', async () => {
  const text = metadata('a', '1') + 'x'.repeat(50 << 20);
  const found = await inspect([{ name: 'a-1.dist-info/METADATA', text }]);
  expect(found.packages).toMatchObject([{ name: 'a', version: '1' }]);
  expect(found.extractions[0]?.state).toBe('done');
});

const python = '/usr/bin/python3';
const installed = '/usr/lib/python3/dist-packages';

describe.skipIf(!existsSync(python))('against importlib.metadata (skipped where there is no python3)', () => {
  /** Names and versions, as Python finds them in one folder. */
  function listed(path: string): string[] {
    const program = `import importlib.metadata as m, re, sys
for d in m.distributions(path=[sys.argv[1]]):
  print(re.sub('[-_.]+', '-', d.metadata['Name']).lower(), d.version)`;
    const printed = execFileSync(python, ['-c', program, path], { encoding: 'utf8' });
    return printed.trimEnd().split('\n').sort();
  }

  async function found(path: string): Promise<string[]> {
    const files = globSync(['*.egg-info', '*.egg-info/PKG-INFO', '*.dist-info/METADATA'], { cwd: path });
    const entries = await Promise.all(
      files.map(async (file) => {
        const bytes = await readFile(join(path, file)).catch(() => undefined);
        return bytes && { name: `${folder}/${file}`, bytes };
      }),
    );
    const { packages, extractions } = await inspect(entries.filter((entry) => entry !== undefined));
    expect(extractions[0]?.state).toBe('done');
    return packages.map(({ name, version }) => `${name} ${version}`).sort();
  }

  test('packages of every kind read as Python lists them', async () => {
    const path = await mkdtemp(join(tmpdir(), 'lazaret-pypi-'));
    try {
      const files = {
        'Django-3.2.dist-info/METADATA': metadata('Django', '3.2', 'Description: x\n y\n'),
        'PyJWT-2.6.0.egg-info/PKG-INFO': metadata('PyJWT', '2.6.0'),
        'crcmod-1.7.egg-info': metadata('crcmod', '1.7'),
        'ruamel.yaml-0.17.dist-info/METADATA': metadata('ruamel.yaml', '0.17'),
      };
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), text);
      }
      expect(await found(path)).toEqual(listed(path));
      expect(await found(path)).toHaveLength(4);
    } finally {
      await rm(path, { recursive: true });
    }
  });

  test.skipIf(!existsSync(installed))("this machine's own packages read as Python lists them", async () => {
    expect(await found(installed)).toEqual(listed(installed));
  });
});
