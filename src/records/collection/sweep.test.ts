import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';
import { condemnedForget, condemnedKeys, largeInventoriesForget } from './sweep.ts';

const entries = limits.collectInventoryRows + 10;

/** An image of one large layer, which nothing names any more. @returns the layer's blob */
async function condemned(world: InventoryWorld): Promise<number> {
  const files = Array.from({ length: entries }, (_, at) => ({ path: `opt/${at}`, content: '' }));
  const layer = await buildLayer(files);
  const manifestId = await world.push({ layers: [layer] });
  await world.drain();
  return world.database.transact(async (tx) => {
    await tx.db.deleteFrom('edges').where('manifest_id', '=', manifestId).execute();
    const blob = await tx.db
      .updateTable('blobs')
      .set({ state: 'condemned' })
      .where('digest', '=', layer.digest)
      .returning(['id', 'size_bytes'])
      .executeTakeFirstOrThrow();
    await tx.db
      .insertInto('condemned_keys')
      .values({ storage_key: 'k', blob_id: blob.id, size_bytes: blob.size_bytes, condemned_at: tx.nowMs })
      .execute();
    return blob.id;
  });
}

const page = { after: '', limit: 10 };

describeEngines('what is known of a collected layer', (engines) => {
  test('goes a part at a time when it is large, before the layer does', async () => {
    await using world = await inventoryWorld(engines);
    const { database } = world;
    const blobId = await condemned(world);
    const keys = await condemnedKeys(database.read, page);
    await largeInventoriesForget(database, keys);
    expect(await rowsOf(world, blobId)).toEqual({ state: 'pending', files: 0 });
    expect(await database.transact((tx) => condemnedForget(tx, keys))).toMatchObject({ keys: 1 });
    expect(await rowsOf(world, blobId)).toEqual({ state: undefined, files: 0 });
  });

  test('stays when the layer was pushed again', async () => {
    await using world = await inventoryWorld(engines);
    const { database } = world;
    const blobId = await condemned(world);
    const keys = await condemnedKeys(database.read, page);
    await database.transact((tx) =>
      tx.db.updateTable('blobs').set({ state: 'live' }).where('id', '=', blobId).execute(),
    );
    await largeInventoriesForget(database, keys);
    expect(await rowsOf(world, blobId)).toEqual({ state: 'done', files: entries });
  });
});

async function rowsOf({ database: { read } }: InventoryWorld, blobId: number) {
  const inspection = await read
    .selectFrom('inspections')
    .select('state')
    .where('blob_id', '=', blobId)
    .executeTakeFirst();
  const files = await read
    .selectFrom('layer_files')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('blob_id', '=', blobId)
    .executeTakeFirstOrThrow();
  return { state: inspection?.state, files: Number(files.count) };
}
