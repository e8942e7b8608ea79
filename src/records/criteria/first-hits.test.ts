import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { fileLeaf } from './file.ts';
import { firstHits } from './first-hits.ts';

describeEngines('what is found first', (engines) => {
  let world: InventoryWorld;
  beforeAll(async () => {
    world = await inventoryWorld(engines);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is as many images as are wanted, also where one has what is looked for many times', async () => {
    const content = 'looked for';
    const ids: number[] = [];
    for (const copies of [9, 1, 1]) {
      const same = Array.from({ length: copies }, (_, at) => ({ path: `${ids.length}/file-${at}`, content }));
      ids.push(await world.push({ layers: [await buildLayer(same)] }));
    }
    await world.drain();
    const { database } = world;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const leaf = await fileLeaf({ file: { sha256 } }, { database, scope: undefined });
    const found = async (limit: number) =>
      (await firstHits(database, leaf, limit)).map((hit) => Number(hit.manifest_id)).toSorted();
    expect(await found(4)).toEqual(ids);
    expect(await found(2)).toHaveLength(2);
  });
});
