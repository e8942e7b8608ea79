import { expect, test } from 'vitest';
import { inChunks, tarOf } from '../../test/support/layers.ts';
import { collectInventory } from '../layers/inventory-collect.ts';
import { readLayerParts } from '../layers/read-layer.ts';
import { ManualClock } from '../lib/clock.ts';
import { HeldInventory } from './held-inventory.ts';

test('the files of all layers together are bounded, while they are read', async () => {
  const layer = await tarOf(['a', 'b', '.wh.c'].map((name) => ({ name, text: name })));
  const parts = () => readLayerParts(inChunks(layer), { extractors: [], clock: new ManualClock() });
  const held = new HeldInventory(6);
  for (const _ of ['first', 'second'])
    expect((await collectInventory(held.of(parts()))).files).toHaveLength(3);
  await expect(collectInventory(held.of(parts()))).rejects.toMatchObject({
    code: 'tooLarge',
    message: expect.stringContaining('more than 6 files; push it to a server'),
  });
});
