import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { fileLeaf } from './file.ts';

describeEngines('a glob that means many paths', (engines) => {
  let world: InventoryWorld;
  beforeAll(async () => {
    world = await inventoryWorld(engines);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  // More than are looked for in each layer, and more than a search is given one by one.
  test.each([201, 10_001])('finds the images that have one of %i, and says where', async (many) => {
    const files = Array.from({ length: many }, (_, at) => ({ path: `${many}/file-${at}.txt`, content: '' }));
    const having = await world.push({ layers: [await buildLayer(files)] });
    const other = await world.push({
      layers: [await buildLayer([{ path: `${many}/other.txt`, content: '' }])],
    });
    await world.drain();
    const { database } = world;
    const leaf = await fileLeaf({ file: { path: `**/${many}/file-*` } }, { database, scope: undefined });
    const found = await database.search(leaf.matches);
    expect(found.map((hit) => Number(hit.manifest_id))).toEqual([having]);
    const evidence = await database.search(leaf.evidence([having, other], many + 10));
    expect(new Set(evidence.map(({ path }) => path))).toEqual(new Set(files.map(({ path }) => path)));
  });
});
