import { expect, it } from 'vitest';
import { chunksOf } from '../../../test/support/catalog.ts';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { somebodyWaits } from '../../../test/support/waiting.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import type { Database } from '../../records/db/database.ts';
import { blobDelete } from './delete.ts';
import { uploadStart } from './upload.ts';
import { uploadFinish } from './upload-finish.ts';

/** Its transactions have done their work, and do not commit before `mayCommit`. */
function holding(database: Database, mayCommit: Promise<void>) {
  const hasWorked = Promise.withResolvers<void>();
  const transact: Database['transact'] = (work, options) =>
    database.transact(async (tx) => {
      const value = await work(tx);
      hasWorked.resolve();
      await mayCommit;
      return value;
    }, options);
  return { database: { ...database, transact }, hasWorked: hasWorked.promise };
}

const repository = parseRepositoryName('acme/shop');

async function withdrawn(world: EngineWorld, { layers = 2 } = {}) {
  const house = await openHouse(world);
  const one = await buildLayer([{ path: 'app/one', content: 'one' }]);
  const other = await buildLayer([{ path: 'app/other', content: 'other' }]);
  const image = buildImage({ layers: [one, other].slice(0, layers) });
  await house.push('acme/shop:1', image);
  await house.database.transact((tx) =>
    tx.db.updateTable('repository_manifests').set({ withdrawn_at: tx.nowMs }).execute(),
  );
  return { house, one, other, image };
}

/** As the collector leaves them long after it took their bytes. */
async function forget(database: Database, digests: readonly string[]): Promise<void> {
  await database.transact(async ({ db }) => {
    const ids = db.selectFrom('blobs').select('id').where('digest', 'in', digests);
    await db.deleteFrom('blob_links').where('blob_id', 'in', ids).execute();
    await db.deleteFrom('inspections').where('blob_id', 'in', ids).execute();
    await db.deleteFrom('blobs').where('digest', 'in', digests).execute();
  });
}

describeEngines('a withdrawn manifest', (world) => {
  it('stays withdrawn when one of its layers comes back while another one is deleted', async () => {
    const { house, one, other } = await withdrawn(world);
    const commit = Promise.withResolvers<void>();
    const held = holding(house.database, commit.promise);
    const deletion = blobDelete(
      { ...house.deps, database: held.database },
      { repository, digest: other.digest, principal: 'jo' },
    );
    await held.hasWorked;
    let isPushed = false;
    const push = house.pushBlob('acme/shop', one).finally(() => {
      isPushed = true;
    });
    await Promise.race([push, somebodyWaits(house.database)]);
    expect(isPushed).toBe(false);
    commit.resolve();
    await Promise.all([deletion, push]);
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'manifestUnknown' });
  });

  it('is in service again when its layers come back at the same time', async () => {
    const { house, one, other, image } = await withdrawn(world);
    for (const { digest } of [one, other])
      await blobDelete(house.deps, { repository, digest, principal: 'jo' });
    await Promise.all([one, other].map((layer) => house.pushBlob('acme/shop', layer)));
    expect((await house.pull('acme/shop:1')).digest).toBe(image.manifest.digest);
  });

  it('is in service again when two pushes bring blobs that nobody remembers', async () => {
    const { house, one, image } = await withdrawn(world, { layers: 1 });
    await forget(house.database, [one.digest, image.config.digest]);
    const commit = Promise.withResolvers<void>();
    const held = holding(house.database, commit.promise);
    const { uploadId } = await uploadStart(house.deps, { repository, principal: 'jo' });
    const source = chunksOf(one.bytes);
    const first = uploadFinish(
      { ...house.deps, database: held.database },
      { repository, uploadId, digest: one.digest, source, principal: 'jo' },
    );
    await held.hasWorked;
    const second = house.pushBlob('acme/shop', image.config);
    await Promise.race([second, somebodyWaits(house.database)]);
    commit.resolve();
    await Promise.all([first, second]);
    expect((await house.pull('acme/shop:1')).digest).toBe(image.manifest.digest);
  });
});
