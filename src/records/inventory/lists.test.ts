import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { fileList } from './file-list.ts';
import type { InventoryAsk, InventoryPage } from './list.ts';
import { licenceList, packageList } from './package-list.ts';

const npmPackage = (folder: string, name: string, version: string, license?: string) => ({
  path: `${folder}/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version, license }),
});

describeEngines('lists of what is in an image', (engines) => {
  let world: InventoryWorld;
  let manifestId: number;
  const layers: string[] = [];

  beforeAll(async () => {
    world = await inventoryWorld(engines);
    const file = (path: string, content = path) => ({ path, content });
    const base = await buildLayer([
      { path: 'opt', folder: true },
      file('opt/a'),
      file('opt/b'),
      file('srv/data/one'),
      file('usr/lib/keep.so'),
      file('usr/lib/old.so'),
      npmPackage('app', 'lodash', '4.17.20'),
      npmPackage('app', '@acme/ui', '1.0.0'),
    ]);
    const middle = await buildLayer([
      { path: 'opt', folder: true },
      file('opt/.wh..wh..opq', ''),
      file('opt/new'),
      file('srv/data', 'a file in the place of a folder'),
      file('usr/lib/.wh.old.so', ''),
      npmPackage('app', 'lodash', '4.17.21'),
    ]);
    const top = await buildLayer([file('usr/lib/keep.so', 'other'), file('Zebra'), file('épée')]);
    layers.push(base.digest, middle.digest, top.digest);
    manifestId = await world.push({ layers: [base, middle, top] });
    await world.drain();
  });

  const files = (ask: Partial<InventoryAsk> = {}) =>
    fileList(world.database, { manifestId, place: 'image', limit: 1_000, ...ask });
  const packages = (ask: Partial<InventoryAsk> & { name?: string; type?: string } = {}) =>
    packageList(world.database, { manifestId, place: 'image', limit: 1_000, ...ask });

  test('in the image, have what all layers together show, by code unit', async () => {
    const { items, next } = await files();
    expect(next).toBeNull();
    expect(items.map(({ path, layer }) => `${layers.indexOf(layer)} ${path}`)).toEqual([
      '2 Zebra',
      '0 app/node_modules/@acme/ui/package.json',
      '1 app/node_modules/lodash/package.json',
      '1 opt',
      '1 opt/new',
      '1 srv/data',
      '2 usr/lib/keep.so',
      '2 épée',
    ]);
    expect(items.find(({ path }) => path === 'opt')).toMatchObject({ kind: 'directory', shown: true });
  });

  test('in a layer, have also what a later one hides, and say so', async () => {
    const { items } = await files({ place: 'layer', layer: layers[0] });
    expect(items.map(({ path, shown }) => `${path} ${shown}`)).toEqual([
      'app/node_modules/@acme/ui/package.json true',
      'app/node_modules/lodash/package.json false',
      'opt false',
      'opt/a false',
      'opt/b false',
      'srv/data/one false',
      'usr/lib/keep.so false',
      'usr/lib/old.so false',
    ]);
    const held = await packages({ place: 'layer', name: 'lodash' });
    // Versions of one name are in the order in which they became known.
    expect(held.items.map(({ version, shown }) => `${version} ${shown}`).sort()).toEqual([
      '4.17.20 false',
      '4.17.21 true',
    ]);
  });

  test.each([
    [{ path: 'usr/**' }, ['usr/lib/keep.so']],
    [{ path: '**/*.so' }, ['usr/lib/keep.so']],
    [{ path: '{Zebra,épée}' }, ['Zebra', 'épée']],
    [{ path: 'opt/*', place: 'layer' } as const, ['opt/a', 'opt/b', 'opt/new']],
    [{ path: 'none/**' }, []],
  ])('are narrowed by a glob of the path: %j', async (ask, paths) => {
    expect((await files(ask)).items.map(({ path }) => path)).toEqual(paths);
  });

  test('of packages are narrowed by name, type and layer', async () => {
    const names = async (ask: Parameters<typeof packages>[0]) =>
      (await packages(ask)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['@acme/ui', 'lodash']);
    expect(await names({ name: '@acme/*' })).toEqual(['@acme/ui']);
    expect(await names({ type: 'npm', layer: layers[1] })).toEqual(['lodash']);
    expect(await names({ type: 'deb' })).toEqual([]);
  });

  test('of licences are in order of the expressions, unknown ones first', async () => {
    const licensed = await buildLayer([
      npmPackage('srv', 'zlib', '1.0.0', 'MIT'),
      npmPackage('srv', 'atob', '2.1.2', 'MIT OR Apache-2.0'),
      npmPackage('srv', 'ms', '2.0.0', 'MIT'),
      npmPackage('srv', 'old', '1.0.0', 'BSD'),
      npmPackage('srv', 'mute', '1.0.0'),
    ]);
    const image = await world.push({ layers: [licensed] });
    await world.drain();
    const licences = async (ask: Partial<Parameters<typeof licenceList>[1]> = {}) => {
      const asked = { manifestId: image, place: 'image' as const, limit: 2, ...ask };
      const items = await inPages((after) => licenceList(world.database, { ...asked, after }));
      return items.map(({ spdx, license, name }) => [spdx, license, name]);
    };
    const mit = [
      ['MIT', 'MIT', 'ms'],
      ['MIT', 'MIT', 'zlib'],
    ];
    const choice = ['MIT OR Apache-2.0', 'MIT OR Apache-2.0', 'atob'];
    const unknown = [
      [null, null, 'mute'],
      [null, 'BSD', 'old'],
    ];
    expect(await licences()).toEqual([...unknown, ...mit, choice]);
    expect(await licences({ licence: 'MIT' })).toEqual(mit);
    expect(await licences({ licence: '*Apache*' })).toEqual([choice]);
    expect(await licences({ licence: 'unknown' })).toEqual(unknown);
    expect(await licences({ name: 'zlib', type: 'npm', place: 'layer', layer: licensed.digest })).toEqual([
      mit[1],
    ]);
  });

  test('have the same items in pages of any size', async () => {
    const ask = fc.record({
      limit: fc.integer({ min: 1, max: 9 }),
      place: fc.constantFrom('image' as const, 'layer' as const),
      path: fc.constantFrom(undefined, '**', 'opt/**', '**/*.so'),
    });
    await fc.assert(
      fc.asyncProperty(ask, async (asked) => {
        const paged = await inPages((after) => files({ ...asked, after }));
        expect(paged).toEqual((await files({ ...asked, limit: 1_000 })).items);
        const named = await inPages((after) => packages({ ...asked, after }));
        expect(named).toEqual((await packages({ ...asked, limit: 1_000 })).items);
      }),
      { numRuns: 12 },
    );
  });

  async function inPages<T>(page: (after: string | undefined) => Promise<InventoryPage<T>>): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const found: InventoryPage<T> = await page(after);
      items.push(...found.items);
      after = found.next;
    }
    return items;
  }
});
