import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { logRead } from '../../records/log/log.ts';
import { quarantineApplyPlan } from './apply.ts';
import { destroyApply, destroyPlan } from './destroy.ts';
import { quarantinePlan } from './plan.ts';
import { quarantineRelease } from './release.ts';

const lodash = {
  criteria: { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } },
  scope: {},
} as const;
const entries = [{ path: 'app/lodash.js', content: 'old' }];

async function openShop(house: House) {
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  const old = await buildLayer(entries);
  const shop = buildImage({ layers: [base, old] });
  await house.push('acme/shop:1', shop);
  await house.inspected(shop, [{}, { packages: [{ name: 'lodash', version: '4.17.20' }] }]);
  return { base, old, shop };
}

const planOf = (house: House, account: string | null = null) =>
  quarantinePlan(house.deps, { question: lodash, reach: 'layer', account, author: 'sec' });

describeEngines('a quarantine', (world) => {
  it('shows what it would reach, and changes nothing until it is applied', async () => {
    const house = await openHouse(world);
    const { old, shop } = await openShop(house);
    const plan = await planOf(house);
    expect(plan).toMatchObject({ name: 'P-1', effect: 'quarantine', appliedAt: null });
    expect(plan.radius.layers).toEqual([{ digest: old.digest, diffId: old.diffId, sizeBytes: old.size }]);
    expect(plan.radius.images).toEqual([
      { repository: 'acme/shop', digest: shop.manifest.digest, tags: ['1'], reachImage: 'refused' },
    ]);
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it('refuses the layer, its images and new references from the moment that it is applied', async () => {
    const house = await openHouse(world);
    const { base, old, shop } = await openShop(house);
    const { name } = await house.quarantine(lodash);
    const refused = { code: 'quarantined', detail: { quarantine: name, reason: 'INC-42' } };
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
    await expect(house.pull(`acme/shop@${shop.manifest.digest}`)).rejects.toMatchObject(refused);
    await expect(house.pullBlob('acme/shop', old.digest)).rejects.toMatchObject(refused);
    await expect(house.pushBlob('acme/new', old)).rejects.toMatchObject(refused);
    await expect(house.putManifest('acme/shop:2', shop.manifest)).rejects.toMatchObject(refused);
    expect(await house.pullBlob('acme/shop', base.digest)).toEqual(Buffer.from(base.bytes));
  });

  it('means every compression of the layer, also one that is pushed later', async () => {
    const house = await openHouse(world);
    const { base } = await openShop(house);
    await house.quarantine(lodash);
    for (const compression of ['zstd', 'none'] as const) {
      const other = await buildLayer(entries, { compression });
      const image = buildImage({ layers: [base, other] });
      await expect(house.push('acme/shop:2', image)).rejects.toMatchObject({ code: 'quarantined' });
    }
  });

  it('of an account binds the repositories of that account only', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    await house.push('globex/copy:1', shop);
    await house.quarantine(lodash, 'acme');
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'quarantined' });
    expect((await house.pull('globex/copy:1')).digest).toBe(shop.manifest.digest);
  });

  it('is kept beside the bytes before it is acknowledged, released too', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const { name, uid, version } = await house.quarantine(lodash);
    const note = async (of: number) =>
      JSON.parse((await house.blobs.notes.get(`quarantine/${uid}/${of}.json`)) ?? 'null');
    expect(await note(version)).toMatchObject({ name, reason: 'INC-42', releasedAt: null });
    const released = await quarantineRelease(house.deps, {
      quarantine: name,
      reason: 'false alarm',
      author: 'sec',
    });
    expect(await note(released.version)).toMatchObject({
      name,
      releasedBy: 'sec',
      releaseReason: 'false alarm',
    });
  });

  it('is lifted by its release, once', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    const { name } = await house.quarantine(lodash);
    const release = () => quarantineRelease(house.deps, { quarantine: name, reason: 'ok', author: 'sec' });
    await release();
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
    await expect(release()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is refused when it would reach more than its plan showed', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    const plan = await planOf(house);
    await house.push('globex/copy:1', shop);
    const apply = quarantineApplyPlan(house.deps, { plan: plan.name, reason: 'INC-42', author: 'sec' });
    await expect(apply).rejects.toMatchObject({
      code: 'planStale',
      message: expect.stringContaining(`more than it showed: image globex/copy@${shop.manifest.digest}`),
      detail: { growth: [`image globex/copy@${shop.manifest.digest}`] },
    });
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it('is applied once, also when two ask at the same time', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const plan = await planOf(house);
    const ask = { plan: plan.name, reason: 'INC-42', author: 'sec' };
    const both = await Promise.allSettled([
      quarantineApplyPlan(house.deps, ask),
      quarantineApplyPlan(house.deps, ask),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const events = await logRead(house.database.read, { after: 0, limit: 100, lane: 'quarantine' });
    expect(events.filter((event) => event.type === 'quarantine.set')).toHaveLength(1);
  });

  it('says so when nothing matches', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const nothing = { criteria: { package: { purl: 'pkg:npm/left-pad' } }, scope: {} };
    const ask = { reach: 'layer', account: null, author: 'sec' } as const;
    await expect(quarantinePlan(house.deps, { ...ask, question: nothing })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('is destroyed by a plan of its own, which a release in between refuses', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const { name } = await house.quarantine(lodash);
    const plan = await destroyPlan(house.deps, { quarantine: name, author: 'sec' });
    await quarantineRelease(house.deps, { quarantine: name, reason: 'ok', author: 'sec' });
    const apply = destroyApply(house.deps, { plan: plan.name, author: 'sec' });
    await expect(apply).rejects.toMatchObject({ code: 'conflict' });
  });
});
