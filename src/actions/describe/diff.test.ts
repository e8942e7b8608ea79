import { beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { InventoryPage } from '../../records/inventory/list.ts';
import { diffFiles, diffFindings, diffPackages, type FindingDiffAsk } from './diff.ts';

const npmPackage = (name: string, version: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version }),
});
const advisory = (id: string, name: string, fixed: string) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  database_specific: { severity: 'HIGH' },
  affected: [
    {
      package: { ecosystem: 'npm', name },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
});

describeEngines('what differs between two images', (engines) => {
  let world: InventoryWorld;
  let ask: FindingDiffAsk;

  beforeAll(async () => {
    world = await inventoryWorld(engines);
    const base = await buildLayer([
      { path: 'etc/same', content: 'same' },
      npmPackage('left-pad', '1.0.0'),
      npmPackage('lodash', '4.17.20'),
    ]);
    const other = await buildLayer([
      { path: 'app/node_modules/.wh.left-pad', content: '' },
      { path: 'bin/tool', content: 'tool', mode: 0o755 },
      { path: '\uffee', content: 'sorts before the next one as UTF-8 only' },
      { path: '😀', content: '' },
      npmPackage('lodash', '4.17.21'),
      npmPackage('ms', '2.0.0'),
    ]);
    const from = await world.push({ layers: [base] });
    ask = {
      from,
      to: await world.push({ layers: [base, other] }),
      limit: 1_000,
      ...{ fromRepository: null, toRepository: null },
    };
    await world.drain();
    await world.import([advisory('GHSA-1', 'lodash', '4.17.21'), advisory('GHSA-2', 'ms', '3.0.0')]);
  });

  test('is packages: added, removed, and those of another version', async () => {
    const { items, next } = await diffPackages(world.database, ask);
    expect(items).toEqual([
      { change: 'removed', type: 'npm', name: 'left-pad', from: ['1.0.0'], to: [] },
      { change: 'changed', type: 'npm', name: 'lodash', from: ['4.17.20'], to: ['4.17.21'] },
      { change: 'added', type: 'npm', name: 'ms', from: [], to: ['2.0.0'] },
    ]);
    expect(next).toBeNull();
  });

  test('is findings: what was mended, and what is new', async () => {
    const { items } = await diffFindings(world.database, ask);
    expect(items).toMatchObject([
      { change: 'removed', advisory: 'GHSA-1', name: 'lodash', severity: 'high', from: ['4.17.20'] },
      { change: 'added', advisory: 'GHSA-2', name: 'ms', to: ['2.0.0'] },
    ]);
  });

  test('is files: added, removed, and those with other contents', async () => {
    const { items } = await diffFiles(world.database, ask);
    expect(items.map(({ change, path }) => `${change} ${path}`)).toEqual([
      'removed app/node_modules/left-pad/package.json',
      'changed app/node_modules/lodash/package.json',
      'added app/node_modules/ms/package.json',
      'added bin/tool',
      'added \uffee',
      'added 😀',
    ]);
    expect(items[3]).toMatchObject({ from: null, to: { kind: 'file', mode: 0o755, sizeBytes: 4 } });
    const narrow = await diffFiles(world.database, { ...ask, path: 'bin/*' });
    expect(narrow.items.map(({ path }) => path)).toEqual(['bin/tool']);
  });

  test('is nothing between an image and itself', async () => {
    const itself = { ...ask, to: ask.from };
    for (const diff of [diffPackages, diffFindings, diffFiles])
      expect(await diff(world.database, itself)).toEqual({ items: [], next: null });
  });

  test('is the same in pages of any size', async () => {
    for (const limit of [1, 2, 5]) {
      expect(await inPages((after) => diffFiles(world.database, { ...ask, limit, after }))).toEqual(
        (await diffFiles(world.database, ask)).items,
      );
      expect(await inPages((after) => diffPackages(world.database, { ...ask, limit, after }))).toEqual(
        (await diffPackages(world.database, ask)).items,
      );
    }
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
