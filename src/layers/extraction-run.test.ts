import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../test/support/layers.ts';
import { ManualClock } from '../lib/clock.ts';
import type { Extractor } from './extractor.ts';
import { extractors } from './extractors/list.ts';
import { npm } from './extractors/npm/npm.ts';
import { layerLimits } from './layer-problem.ts';
import { type ReadLayerOptions, readLayer } from './read-layer.ts';

const clock = new ManualClock();
const packageJson = (name: string, version: string) => JSON.stringify({ name, version });

async function readEntries(entries: readonly LayerEntry[], options: Partial<ReadLayerOptions>) {
  return readLayer(inChunks(await tarOf(entries)), { extractors, clock, ...options });
}

const counting: Extractor = {
  name: 'counting',
  version: 3,
  wants: ({ path }) => path.startsWith('count/'),
  extract: ({ path }, { sizeBytes }) => {
    if (path.endsWith('bad')) throw new Error('can not read this');
    return { packages: [{ purl: `pkg:x/${sizeBytes}`, ecosystem: 'x', name: path, version: '1' }] };
  },
};
const only = { extractors: [counting, ...extractors] };

test('an extractor that throws is unknown with path and reason; its other results and the other extractors stay', async () => {
  const found = await readEntries(
    [
      { name: 'count/bad', text: 'x' },
      { name: 'count/good', text: 'xyz' },
      { name: 'node_modules/a/package.json', text: packageJson('a', '1.0.0') },
    ],
    only,
  );
  expect(found.state).toBe('done');
  expect(found.extractions[0]).toEqual({
    extractor: 'counting',
    version: 3,
    state: 'unknown',
    reason: 'count/bad: can not read this',
  });
  expect(found.extractions.slice(1).every(({ state }) => state === 'done')).toBe(true);
  expect(found.packages.map(({ purl }) => purl)).toEqual(['pkg:x/3', 'pkg:npm/a@1.0.0']);
});

test('a wanted file over the limit makes only its extractor unknown', async () => {
  const limits = { ...layerLimits, extractFileBytesMax: 10 };
  const found = await readEntries([{ name: 'count/large', text: 'x'.repeat(11) }], { ...only, limits });
  expect(found.state).toBe('done');
  expect(found.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: expect.stringContaining('11 bytes'),
  });
  expect(found.files[0]?.sha256).toBeDefined();
});

test('a package whose name is too long is left out and makes its extractor unknown', async () => {
  const limits = { ...layerLimits, packageNameLengthMax: 20 };
  const long = packageJson('a'.repeat(21), '1.0.0');
  const found = await readEntries(
    [
      { name: 'node_modules/a/package.json', text: long },
      { name: 'node_modules/b/package.json', text: packageJson('b', '1.0.0') },
    ],
    { limits },
  );
  expect(found.packages.map(({ name }) => name)).toEqual(['b']);
  expect(found.extractions.filter(({ state }) => state === 'unknown')).toEqual([
    {
      extractor: 'npm',
      version: npm.version,
      state: 'unknown',
      reason: 'node_modules/a/package.json: a package whose name is too long',
    },
  ]);
});

test('a wanted hard link has what its target has; a link that leads elsewhere is unknown', async () => {
  const good = await readEntries(
    [
      { name: 'count/a', text: 'xyz' },
      { name: 'count/b', type: 'link', linkname: './count/a' },
    ],
    only,
  );
  expect(good.packages.map(({ path }) => path)).toEqual(['count/a', 'count/b']);
  expect(good.extractions[0]?.state).toBe('done');
  for (const type of ['link', 'symlink'] as const) {
    const bad = await readEntries([{ name: 'count/b', type, linkname: 'elsewhere' }], only);
    expect(bad.extractions[0]).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('elsewhere'),
    });
  }
});

test('more packages than allowed make it unknown', async () => {
  const limits = { ...layerLimits, layerPackagesMax: 1 };
  const found = await readEntries(
    [1, 2].map((n) => ({ name: `count/${n}`, text: 'x' })),
    { ...only, limits },
  );
  expect(found.packages).toHaveLength(1);
  expect(found.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: expect.stringContaining('more than 1'),
  });
});

test('what is held of packages until the layer ends is bounded, and what an entry replaces is not held', async () => {
  const limits = { ...layerLimits, layerHeldBytesMax: 1_000 };
  const again = Array.from({ length: 10 }, () => ({ name: 'count/a', text: 'x' }));
  const bounded = { extractors: [counting], limits };
  const few = await readEntries([...again, { name: 'count/b', text: 'x' }], bounded);
  expect(few.packages).toHaveLength(2);
  expect(few.extractions[0]?.state).toBe('done');
  const many = await readEntries([...again, { name: `count/${'n'.repeat(500)}`, text: 'x' }], bounded);
  expect(many.packages.map(({ name }) => name)).toEqual(['count/a']);
  expect(many.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: expect.stringMatching(/more than 1000 bytes of packages/),
  });
});

/** Takes what begins with `magic`, and finds what the bytes are, read from the end. */
function magical(options: Partial<Extractor> = {}): Extractor {
  return {
    name: 'magical',
    version: 1,
    wants: ({ kind }) => kind !== 'link',
    accepts: (start) => Buffer.from(start).toString('latin1', 0, 5) === 'magic',
    extract: (_entry, content) => {
      const end = content.read(content.sizeBytes - 3, 100);
      const name = Buffer.from(end).toString('latin1');
      const found = { purl: `pkg:x/${name}`, ecosystem: 'x', name, version: '1' };
      return { packages: [found, { ...found, member: 'lib/a' }] };
    },
    ...options,
  };
}

const magic = (bytes: number, end: string) => `magic${'.'.repeat(bytes - 5 - end.length)}${end}`;
const small = { ...layerLimits, extractHeldBytesMax: 10_000, extractFileBytesMax: 20_000 };

test.each([5, 100, 4_096, 9_999, 15_000])(
  'a file of %i bytes is read by who accepts its start, however it arrives',
  async (bytes) => {
    const text = magic(Math.max(bytes, 8), 'end');
    const layer = await tarOf([
      { name: 'other', text: 'x'.repeat(bytes) },
      { name: 'empty', text: '' },
      { name: 'app', text },
    ]);
    for (const chunkBytes of [1, 7, 512, 5_000, layer.length]) {
      const found = await readLayer(inChunks(layer, chunkBytes), {
        extractors: [magical()],
        clock,
        limits: small,
      });
      expect(found.extractions).toEqual([{ extractor: 'magical', version: 1, state: 'done' }]);
      expect(found.packages.map(({ path, name }) => [path, name])).toEqual([
        ['app', 'end'],
        ['app!/lib/a', 'end'],
      ]);
    }
  },
);

test('a file beyond what may be held at once is read piece by piece by who asks for it, and the disk is empty after', async () => {
  const before = openSpools();
  const entries = [
    { name: 'large', text: magic(50_000, 'one') },
    { name: 'larger', text: magic(90_000, 'two') },
  ];
  const layer = await tarOf(entries);
  const extractor = magical({ fileBytesMax: 60_000 });
  const found = await readLayer(inChunks(layer, 1_000), { extractors: [extractor], clock, limits: small });
  expect(found.packages.map(({ path }) => path)).toEqual(['large', 'large!/lib/a']);
  expect(found.extractions[0]?.reason).toBe('larger: 90000 bytes; at most 60000 are read');
  const greedy = magical({
    fileBytesMax: 60_000,
    extract: (_entry, content) => ({ problem: `${content.all()}` }),
  });
  const refused = await readLayer(inChunks(layer), { extractors: [greedy], clock, limits: small });
  expect(refused.extractions[0]?.reason).toContain('large: 50000 bytes; at most 20000 are read at once');
  expect(openSpools()).toEqual(before);
});

test('what nobody accepts is no problem, however large, and nor is a hard link to it', async () => {
  const found = await readEntries(
    [
      { name: 'huge', text: 'x'.repeat(30_000) },
      { name: 'same', type: 'link', linkname: 'huge' },
    ],
    { extractors: [magical()], limits: small },
  );
  expect(found.extractions[0]?.state).toBe('done');
});

/** Temporary files that this process has open, and those that lie around. */
function openSpools(): string[] {
  const mine = (name: string) => name.includes('lazaret-spool-');
  // Where there is no /proc, only what lies around.
  const open = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : [];
  const descriptors = open.flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return [...descriptors, ...readdirSync(tmpdir())].filter(mine);
}
