import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer, type LayerEntry } from '../../../test/support/oci-layout.ts';
import { fileList } from '../inventory/file-list.ts';
import { packageList } from '../inventory/package-list.ts';
import { fileLeaf } from './file.ts';

/** It is a package too, so that the image's view tells of it. */
const path = 'node_modules/@a/b/package.json';
const found: LayerEntry = { path, content: JSON.stringify({ name: '@a/b', version: '1.0.0' }) };
const above: readonly LayerEntry[] = [
  { path, content: 'another' },
  { path: 'node_modules/@a/.wh.b', content: '' },
  { path: 'node_modules/@a', folder: true },
  { path: 'node_modules/.wh..wh..opq', content: '' },
  { path: '.wh..wh..opq', content: '' },
  { path: 'node_modules/other', content: 'other' },
  { path: 'node_modules/@a', content: 'a file in the place of a folder' },
  { path: 'node_modules', link: 'elsewhere' },
  { path: 'node_modules/@', content: 'a name that only begins alike' },
];

describeEngines('what hides a file', (engines) => {
  let world: InventoryWorld;
  beforeAll(async () => {
    world = await inventoryWorld(engines);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is the same for criteria, lists and the view of an image', async () => {
    const layer = fc.array(fc.constantFrom(...above), { maxLength: 2 });
    const verdicts = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 2 }), async (upper) => {
        const layers = await Promise.all([[found], ...upper].map((entries) => buildLayer(entries)));
        const manifestId = await world.push({ layers });
        await world.drain();
        const { database } = world;
        const ask = { manifestId, place: 'image', path, layer: layers[0]?.digest, limit: 10 } as const;
        const listed = (await fileList(database, ask)).items.length > 0;
        expect((await packageList(database, ask)).items.length > 0).toBe(listed);
        const leaf = await fileLeaf({ file: { path, in: 'image' } }, { database, scope: [manifestId] });
        const evidence = await database.search(leaf.evidence([manifestId], 10));
        expect(evidence.some((row) => row.layer === layers[0]?.digest)).toBe(listed);
        verdicts.add(listed);
      }),
      { numRuns: 12, seed: 5, examples: above.map((entry): [LayerEntry[][]] => [[[entry]]]) },
    );
    expect(verdicts.size).toBe(2);
  });
});
