import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { isRecord } from '../../../lib/fields.ts';
import { readLayer } from '../../read-layer.ts';
import { npm, parsePackageJson } from './npm.ts';

const wants = (path: string) => npm.wants({ path, kind: 'file', sizeBytes: 1, mode: 0o644 });

test.each([
  ['node_modules/a/package.json', true],
  ['app/node_modules/@s/a/package.json', true],
  ['usr/lib/node_modules/npm/node_modules/a/package.json', true],
  ['app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json', true],
  ['package.json', false],
  ['node_modules/package.json', false],
  ['node_modules/@s/package.json', false],
  ['node_modules/.package-lock.json', false],
  ['node_modules/.cache/package.json', false],
  ['node_modules/a/dist/package.json', false],
  ['node_modules/@s/a/dist/package.json', false],
  ['node_modules/a/test/fixtures/package.json', false],
  ['my_node_modules/a/package.json', false],
  ['app/packages/web/package.json', false],
  ['app/packages/web/node_modules/a/package.json', true],
  ['node_modules/a/node_modules/@s/b/node_modules/c/package.json', true],
  ['node_modules/a/test/fixtures/node_modules/b/package.json', false],
  ['node_modules/a/node_modules/b/test/node_modules/c/package.json', false],
  ['node_modules/.store/b@1/node_modules/@s/a/node_modules/c/package.json', true],
  ['node_modules/a/.cache/b/node_modules/c/package.json', false],
])('%s is an installed package: %s', (path, expected) => {
  expect(wants(path)).toBe(expected);
});

describe('what a package manager keeps in a store and links to where it is installed', () => {
  const inStore = (hash: string) => `root/.local/share/pnpm/store/v10/files/6f/${hash.repeat(126)}`;
  const installed = 'srv/node_modules/.pnpm/ms@2.0.0/node_modules/ms/package.json';
  const text = '{"name":"ms","version":"2.0.0"}';
  const link = (name: string, linkname: string): LayerEntry => ({ name, type: 'link', linkname });
  const read = async (entries: readonly LayerEntry[]) => {
    const found = await readLayer(inChunks(await tarOf(entries)), {
      extractors: [npm],
      clock: new ManualClock(),
    });
    const [{ state, reason } = {}] = found.extractions;
    return { packages: found.packages.map(({ name, path }) => `${name} ${path}`), state, reason };
  };

  test.each([
    ['pnpm', inStore('0')],
    ['bun', 'root/.bun/install/cache/ms@2.0.0@@@1/package.json'],
    ['bun with a scope', 'root/.bun/install/cache/@s/ms@2.0.0@@@1/package.json'],
  ])(
    'is a package where it is installed, whichever of the paths has the content: %s',
    async (_who, store) => {
      const expected = { packages: [`ms ${installed}`], state: 'done', reason: undefined };
      expect(await read([{ name: store, text }, link(installed, store)])).toEqual(expected);
      expect(await read([{ name: installed, text }, link(store, installed)])).toEqual(expected);
    },
  );

  test('is none where nobody has linked it, and most of it is no package.json', async () => {
    const program = { name: inStore('1'), text: 'module.exports = 1\n' };
    const other = { name: inStore('2'), text: '{"compilerOptions": {' };
    const entries = [{ name: inStore('0'), text }, program, other];
    expect(await read(entries)).toEqual({ packages: [], state: 'done', reason: undefined });
  });

  test('is a problem where it is linked and cannot be read', async () => {
    const found = await read([{ name: inStore('0'), text: '{"name":' }, link(installed, inStore('0'))]);
    expect(found).toEqual({ packages: [], state: 'unknown', reason: `${installed}: it is no JSON` });
  });
});

describe('a package.json', () => {
  test('names package, version and licence', () => {
    expect(parsePackageJson({ name: '@types/node', version: '24.1.0', license: 'MIT' })).toEqual({
      packages: [
        {
          purl: 'pkg:npm/%40types/node@24.1.0',
          ecosystem: 'npm',
          name: '@types/node',
          version: '24.1.0',
          license: 'MIT',
        },
      ],
    });
  });

  test('of before the purl rules keeps its name as advisories write it', () => {
    expect(parsePackageJson({ name: 'JSONStream', version: '1.3.5' }).packages?.[0]?.name).toBe('JSONStream');
  });

  test.each([
    ['{"license":{"type":"ISC"}}', 'ISC'],
    ['{"licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]}', 'MIT OR GPL-2.0'],
    ['{"licenses":["MIT"]}', 'MIT'],
    ['{"license":5}', undefined],
    ['{"license":""}', undefined],
  ])('states its licence in several ways: %s', (text, license) => {
    const whole = { name: 'a', version: '1.0.0', ...JSON.parse(text) };
    expect(parsePackageJson(whole).packages?.[0]?.license).toBe(license);
  });

  test.each(['{"type":"module"}', '{"name":"a"}', '{"name":5,"version":"1"}', '{"name":"","version":"1"}'])(
    'without name and version is no package: %s',
    (text) => {
      expect(parsePackageJson(JSON.parse(text))).toEqual({});
    },
  );
});

test('a broken package.json is named and takes nothing else down', async () => {
  const entries: LayerEntry[] = [
    { name: 'node_modules/a/package.json', text: '{"name":' },
    { name: 'node_modules/b/package.json', text: '\uFEFF{"name":"b","version":"1.0.0"}' },
    { name: 'node_modules/c/package.json', text: '[]' },
  ];
  const found = await readLayer(inChunks(await tarOf(entries)), {
    extractors: [npm],
    clock: new ManualClock(),
  });
  expect(found.state).toBe('done');
  expect(found.packages.map(({ purl }) => purl)).toEqual(['pkg:npm/b@1.0.0']);
  expect(found.extractions).toEqual([
    {
      extractor: 'npm',
      version: npm.version,
      state: 'unknown',
      reason: 'node_modules/a/package.json: it is no JSON (and 1 more)',
    },
  ]);
});

/** What `npm ls --all --json` says is there, `NAME@VERSION` each. */
function listed(node: unknown, found: Set<string>): Set<string> {
  if (!isRecord(node) || !isRecord(node.dependencies)) return found;
  for (const [name, child] of Object.entries(node.dependencies)) {
    if (!isRecord(child) || typeof child.version !== 'string') continue;
    // A package under another name is listed by that, with its own name only in where it came from.
    found.add(`${name}@${child.version}`);
    listed(child, found);
  }
  return found;
}

test("this checkout's own packages are those that npm lists", () => {
  const root = join(import.meta.dirname, '../../../..');
  const files = readdirSync(join(root, 'node_modules'), { recursive: true, encoding: 'utf8' })
    .map((path) => `node_modules/${path}`)
    .filter(wants);
  const ours = new Set(
    files.flatMap((path) => {
      const [found] = parsePackageJson(JSON.parse(readFileSync(join(root, path), 'utf8'))).packages ?? [];
      const folder = path.slice(
        path.lastIndexOf('node_modules/') + 'node_modules/'.length,
        -'/package.json'.length,
      );
      return found === undefined ? [] : [`${folder}@${found.version}`];
    }),
  );
  const output = execFileSync('npm', ['ls', '--all', '--json', '--prefix', root], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  expect([...ours].sort()).toEqual([...listed(JSON.parse(output), new Set())].sort());
});
