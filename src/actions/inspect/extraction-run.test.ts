import { expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../test/support/layers.ts';
import { ManualClock } from '../../lib/clock.ts';
import type { Extractor } from './extractor.ts';
import { extractors } from './extractors/list.ts';
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
  extract: ({ path }, bytes) => {
    if (path.endsWith('bad')) throw new Error('can not read this');
    return { packages: [{ purl: `pkg:x/${bytes.length}`, ecosystem: 'x', name: path, version: '1' }] };
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
