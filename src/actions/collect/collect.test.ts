import { expect, it } from 'vitest';
import { chunksOf } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { manifestDelete } from '../push/delete.ts';
import { uploadAppend, uploadStart, uploadStatus } from '../push/upload.ts';
import { quarantineRelease } from '../quarantine/release.ts';
import { collect } from './collect.ts';
import { explainBlob } from './explain.ts';

const day = 24 * 3_600_000;
const lodash = {
  criteria: { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } },
  scope: {},
} as const;

/** Two images on one base; the second one's own layer holds the old lodash. */
async function twoImages(house: House) {
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  const old = await buildLayer([{ path: 'app/lodash.js', content: 'old' }]);
  const other = await buildLayer([{ path: 'app/other.js', content: 'other' }]);
  const shop = buildImage({ layers: [base, old] });
  const portal = buildImage({ layers: [base, other] });
  await house.push('acme/shop:1', shop);
  await house.push('acme/portal:1', portal);
  await house.inspected(shop, [{}, { packages: [{ name: 'lodash', version: '4.17.20' }] }]);
  await house.inspected(portal, [{}, {}]);
  // The base was uploaded twice, and is kept once.
  await house.collect();
  return { base, old, other, shop, portal };
}

describeEngines('the collector', (world) => {
  it('takes nothing that a manifest needs, however long it waits', async () => {
    const house = await openHouse(world);
    const { shop, base } = await twoImages(house);
    house.clock.advance(400 * day);
    expect(await house.collect()).toMatchObject({ condemned: 0, collected: 0 });
    expect(await house.pullBlob('acme/shop', base.digest)).toEqual(Buffer.from(base.bytes));
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it('takes an upload that no manifest came to need, once its hold and its grace are over', async () => {
    const house = await openHouse(world);
    const stray = await buildLayer([{ path: 'x', content: 'x' }]);
    await house.push('acme/shop:1', buildImage({ layers: [] }));
    await house.pushBlob('acme/shop', stray);
    const before = await house.storedKeys();
    house.clock.advance(23 * 3_600_000);
    expect(await house.collect()).toMatchObject({ condemned: 0 });
    house.clock.advance(2 * 3_600_000);
    expect(await house.collect()).toMatchObject({ condemned: 1, collected: 1, freedBytes: stray.size });
    expect(await house.storedKeys()).toBe(before - 1);
    await expect(house.pullBlob('acme/shop', stray.digest)).rejects.toMatchObject({ code: 'blobUnknown' });
  });

  it('leaves an upload in its repository while it is held, also if only another repository needs the blob', async () => {
    const house = await openHouse(world);
    const hasty = { ...house.deps, graceMs: 60_000 };
    const { base } = await twoImages(house);
    await house.pushBlob('globex/app', base);
    house.clock.advance(limits.uploadHoldMs - 1);
    await collect(hasty);
    expect(await house.pullBlob('globex/app', base.digest)).toEqual(Buffer.from(base.bytes));
    house.clock.advance(120_000);
    await collect(hasty);
    await expect(house.pullBlob('globex/app', base.digest)).rejects.toMatchObject({ code: 'blobUnknown' });
    expect(await house.pullBlob('acme/shop', base.digest)).toEqual(Buffer.from(base.bytes));
  });

  it('takes a deleted image after its grace, and leaves the base that another image shares', async () => {
    const house = await openHouse(world);
    const { base, old, shop } = await twoImages(house);
    await manifestDelete(house.deps, {
      repository: parseRepositoryName('acme/shop'),
      digest: shop.manifest.digest,
      principal: 'jo',
    });
    house.clock.advance(day + 3_600_000);
    // The image's own layer and its config; the base is shared.
    expect(await house.collect()).toMatchObject({ manifests: 1, condemned: 2, collected: 2 });
    expect(await house.pullBlob('acme/portal', base.digest)).toEqual(Buffer.from(base.bytes));
    expect((await explainBlob(house.deps, old.digest)).verdict).toEqual({ kind: 'gone' });
  });

  it('keeps what is quarantined until the retention ends, then takes it and withdraws its manifests', async () => {
    const house = await openHouse(world);
    const { old, base, shop, portal } = await twoImages(house);
    await house.quarantine(lodash);
    house.clock.advance(89 * day);
    expect(await house.collect()).toMatchObject({ condemned: 0 });
    house.clock.advance(2 * day);
    expect(await house.collect()).toMatchObject({
      manifests: 1,
      condemned: 1,
      collected: 1,
      freedBytes: old.size,
    });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'quarantined' });
    expect(await house.pullBlob('acme/portal', base.digest)).toEqual(Buffer.from(base.bytes));
    expect((await house.pull('acme/portal:1')).digest).toBe(portal.manifest.digest);
    expect(shop.manifest.digest).not.toBe(portal.manifest.digest);
  });

  it('takes a destroyed layer at once, and the mark outlives the bytes', async () => {
    const house = await openHouse(world);
    const { old } = await twoImages(house);
    const { name } = await house.quarantine(lodash);
    await house.destroy(name);
    expect(await house.collect()).toMatchObject({ condemned: 1, collected: 1, freedBytes: old.size });
    await expect(house.pushBlob('acme/shop', old)).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('serves a withdrawn image again when its layer is pushed again after the release', async () => {
    const house = await openHouse(world);
    const { old, shop } = await twoImages(house);
    const { name } = await house.quarantine(lodash);
    await house.destroy(name);
    await house.collect();
    await quarantineRelease(house.deps, { quarantine: name, reason: 'false alarm', author: 'sec' });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'manifestUnknown' });
    await house.push('acme/shop:1', shop);
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
    expect(await house.pullBlob('acme/shop', old.digest)).toEqual(Buffer.from(old.bytes));
  });

  it("leaves the bytes of an account's quarantine to the other account that uses them", async () => {
    const house = await openHouse(world);
    const { old, shop } = await twoImages(house);
    await house.push('globex/copy:1', shop);
    const { name } = await house.quarantine(lodash, 'acme');
    await house.destroy(name);
    expect(await house.collect()).toMatchObject({ manifests: 1, condemned: 0 });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'quarantined' });
    expect(await house.pullBlob('globex/copy', old.digest)).toEqual(Buffer.from(old.bytes));
  });

  it('takes the bytes of an upload that nobody went on with', async () => {
    const house = await openHouse(world);
    const repository = parseRepositoryName('acme/shop');
    const { uploadId } = await uploadStart(house.deps, { repository, principal: 'jo' });
    const upload = { repository, uploadId, principal: 'jo' };
    await uploadAppend(house.deps, { ...upload, source: chunksOf(Buffer.from('half of it')) });
    house.clock.advance(limits.uploadIdleMs - 1);
    await house.collect();
    expect(await house.storedKeys()).toBe(1);
    house.clock.advance(1);
    await house.collect();
    expect(await house.storedKeys()).toBe(0);
    await expect(uploadStatus(house.deps, upload)).rejects.toMatchObject({
      code: 'uploadUnknown',
    });
  });

  it('takes bytes that came to a key while it was swept', async () => {
    const house = await openHouse(world);
    const repository = parseRepositoryName('acme/shop');
    const { uploadId } = await uploadStart(house.deps, { repository, principal: 'jo' });
    const bytes = Promise.withResolvers<void>();
    async function* slow() {
      await bytes.promise;
      yield Buffer.from('too late');
    }
    const late = uploadAppend(house.deps, { repository, uploadId, principal: 'jo', source: slow() });
    const ended = expect(late).rejects.toMatchObject({ code: 'uploadUnknown' });
    house.clock.advance(limits.uploadIdleMs);
    const { delete: deleteKeys } = house.blobs;
    house.blobs.delete = async (keys) => {
      await deleteKeys.call(house.blobs, keys);
      bytes.resolve();
      await ended;
    };
    await house.collect();
    house.blobs.delete = deleteKeys;
    await house.collect();
    expect(await house.storedKeys()).toBe(0);
  });

  it('leaves what a replica has in service to its home, and takes the bytes once home has withdrawn it', async () => {
    const house = await openHouse(world);
    const { old } = await twoImages(house);
    await house.quarantine(lodash);
    const elsewhere = (set: { home_region: string }) =>
      house.database.transact(
        async (tx) => void (await tx.db.updateTable('repositories').set(set).execute()),
      );
    await elsewhere({ home_region: 'another' });
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 0, condemned: 0 });
    await house.database.transact(async (tx) => {
      await tx.db
        .updateTable('repository_manifests')
        .set({ withdrawn_at: tx.nowMs })
        .where('manifest_id', 'in', (e) =>
          e.selectFrom('edges').select('manifest_id').where('digest', '=', old.digest),
        )
        .execute();
    });
    expect(await house.collect()).toMatchObject({
      manifests: 0,
      condemned: 1,
      collected: 1,
      freedBytes: old.size,
    });
  });

  it('never takes the new bytes of a digest that was condemned and pushed again', async () => {
    const house = await openHouse(world);
    const stray = await buildLayer([{ path: 'x', content: 'x' }]);
    await house.pushBlob('acme/shop', stray);
    await house.database.transact(async (tx) => {
      const blob = await tx.db.selectFrom('blobs').selectAll().executeTakeFirstOrThrow();
      await tx.db.updateTable('blobs').set({ state: 'condemned', storage_key: null }).execute();
      await tx.db.deleteFrom('blob_links').execute();
      const key = { storage_key: blob.storage_key ?? '', blob_id: blob.id, size_bytes: 1, condemned_at: 1 };
      await tx.db.insertInto('condemned_keys').values(key).execute();
    });
    await house.pushBlob('acme/shop', stray);
    expect(await house.collect()).toMatchObject({ collected: 1 });
    expect(await house.pullBlob('acme/shop', stray.digest)).toEqual(Buffer.from(stray.bytes));
  });
});
