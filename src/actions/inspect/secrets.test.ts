import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { layerInventory } from '../../../test/support/layer-inventory.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { fingerprintKeyNewest } from '../../records/inventory/fingerprint-keys.ts';
import { fingerprintOf } from '../../secrets/fingerprint.ts';

const value = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_');

describeEngines('the secrets of a layer', (engines) => {
  test('are kept as kind, place and keyed fingerprint; their values are in no row and no event', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([
      { path: 'app/deploy.sh', content: `#!/bin/sh\nexport T=${value}\n` },
      { path: 'app/.wh.old', content: '' },
    ]);
    await world.push({ layers: [layer] });
    await world.drain();
    const { database } = world;
    const rows = await database.read
      .selectFrom('layer_secrets')
      .innerJoin('paths', 'paths.id', 'layer_secrets.path_id')
      .selectAll()
      .execute();
    expect(rows).toMatchObject([{ kind: 'github-token', path: 'app/deploy.sh', line: 2, key_version: 1 }]);
    const key = await fingerprintKeyNewest(database.read);
    if (!key) throw new Error('the key was made with the first inspection');
    expect(Buffer.from(rows[0]?.fingerprint ?? [])).toEqual(Buffer.from(fingerprintOf(key, value)));
    const inventory = await layerInventory(database.read, layer.digest);
    expect(inventory?.extractions).toContainEqual({ extractor: 'secrets', version: 1, state: 'done' });
    const tables = [
      'layer_secrets',
      'image_secrets',
      'paths',
      'inspections',
      'extractions',
      'images',
      'log',
      'jobs',
    ] as const;
    for (const table of tables) {
      const text = JSON.stringify(await database.read.selectFrom(table).selectAll().execute());
      expect(text).not.toContain(value);
      expect(text).not.toContain(Buffer.from(value).toString('base64').slice(0, 20));
    }
  });
});
