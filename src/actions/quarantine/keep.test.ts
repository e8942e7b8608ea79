import { expect, it } from 'vitest';
import { indexOf } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { logRead } from '../../records/log/log.ts';
import { quarantineGet } from '../../records/marks/quarantines.ts';
import { manifestDelete } from '../push/delete.ts';
import { quarantineApplyPlan } from './apply.ts';
import { destroyApply, destroyPlan } from './destroy.ts';
import { expiringTask } from './expiring.ts';
import { quarantineLegalHold } from './hold.ts';
import { quarantinePlan } from './plan.ts';
import { quarantineRelease } from './release.ts';
import { retentionApply, retentionPlan } from './retention.ts';

const day = 86_400_000;
const running = new AbortController().signal;

async function openShop(house: House) {
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  const old = await buildLayer([{ path: 'app/lodash.js', content: 'old' }]);
  const shop = buildImage({ layers: [base, old] });
  await house.push('acme/shop:1', shop);
  return { base, old, shop };
}

const hold = (house: House, quarantine: string, on: boolean) =>
  quarantineLegalHold(house.deps, { quarantine, hold: on, reason: 'case 4711', author: 'sec' });

const release = (house: House, quarantine: string) =>
  quarantineRelease(house.deps, { quarantine, reason: 'fixed', author: 'sec' });

const expiring = async (house: House) => {
  const task = expiringTask(house.deps);
  while ((await task.run(running)) === 'worked');
  const events = await logRead(house.database.read, { after: 0, limit: limits.apiPageMax });
  return events.filter((event) => event.type === 'quarantine.expiring').map((event) => event.data);
};

describeEngines('a quarantine by name', (world) => {
  it('of a layer refuses it, also one that was never here', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const other = await buildLayer([{ path: 'x', content: 'not here yet' }]);
    await house.quarantine({ targets: { layers: [old.digest, other.digest] } });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'quarantined' });
    await expect(house.pushBlob('acme/new', other)).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('of a manifest refuses that image, and leaves its layers to others', async () => {
    const house = await openHouse(world);
    const { base, old, shop } = await openShop(house);
    await house.push('acme/shop:2', buildImage({ layers: [base, old], config: { User: 'app' } }));
    await house.quarantine({ targets: { manifests: [shop.manifest.digest] } });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'quarantined' });
    await expect(house.putManifest('acme/shop:3', shop.manifest)).rejects.toMatchObject({
      code: 'quarantined',
    });
    expect((await house.pull('acme/shop:2')).digest).not.toBe(shop.manifest.digest);
  });

  it('of repositories shuts them, for pulls and pushes, and no others', async () => {
    const house = await openHouse(world);
    const { base, shop } = await openShop(house);
    await house.push('acme/legacy/shop:1', shop);
    const ask = { reach: 'layer', account: 'acme', author: 'sec' } as const;
    const question = { targets: { repositories: ['acme/legacy/**'] } };
    const plan = await quarantinePlan(house.deps, { ...ask, question });
    expect(plan.radius.images.map((image) => image.repository)).toEqual(['acme/legacy/shop']);
    await quarantineApplyPlan(house.deps, { plan: plan.name, reason: 'end of life', author: 'sec' });
    const refused = { code: 'quarantined', detail: { reason: 'end of life' } };
    await expect(house.pull('acme/legacy/shop:1')).rejects.toMatchObject(refused);
    await expect(house.pullBlob('acme/legacy/shop', base.digest)).rejects.toMatchObject(refused);
    await expect(house.push('acme/legacy/shop:2', shop)).rejects.toMatchObject(refused);
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it('of repositories withdraws what is in them when its retention ends', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    await house.push('globex/legacy:1', shop);
    await house.quarantine({ targets: { repositories: ['globex/*'] } });
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 1, condemned: 0 });
    expect((await house.pull('acme/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it('says what is wrong with a digest, and that nothing was named', async () => {
    const house = await openHouse(world);
    const plan = (targets: { layers?: string[]; repositories?: string[] }) =>
      quarantinePlan(house.deps, { question: { targets }, reach: 'layer', account: null, author: 'sec' });
    await expect(plan({ layers: ['sha256:1'] })).rejects.toMatchObject({ code: 'digestInvalid' });
    await expect(plan({ repositories: ['{a'] })).rejects.toMatchObject({ code: 'invalid' });
    await expect(plan({})).rejects.toMatchObject({ code: 'invalid', detail: { path: 'targets' } });
  });
});

describeEngines('what a quarantine marks', (world) => {
  it('stays under a legal hold after its retention, and goes when the hold is lifted', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { name } = await house.quarantine({ targets: { layers: [old.digest] } });
    await hold(house, name, true);
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 0, condemned: 0 });
    await expect(destroyPlan(house.deps, { quarantine: name, author: 'sec' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(hold(house, name, true)).rejects.toMatchObject({ code: 'conflict' });
    await hold(house, name, false);
    expect(await house.collect()).toMatchObject({ manifests: 1, collected: 1 });
  });

  it('is not destroyed by a plan that was made before the legal hold', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { name } = await house.quarantine({ targets: { layers: [old.digest] } });
    const plan = await destroyPlan(house.deps, { quarantine: name, author: 'sec' });
    await hold(house, name, true);
    const apply = destroyApply(house.deps, { plan: plan.name, author: 'sec' });
    await expect(apply).rejects.toMatchObject({ code: 'conflict', message: `${name} is under legal hold` });
    expect(await house.collect()).toMatchObject({ manifests: 0, condemned: 0 });
  });

  it('stays although its image is deleted, as long as the retention says', async () => {
    const house = await openHouse(world);
    const { old, shop } = await openShop(house);
    await house.quarantine({ targets: { layers: [old.digest] } });
    const repository = parseRepositoryName('acme/shop');
    const { digest } = shop.manifest;
    await manifestDelete(house.deps, { repository, principal: 'jo', digest });
    house.clock.advance(30 * day);
    await house.collect();
    house.clock.advance(2 * day);
    await house.collect();
    expect(await house.storedKeys()).toBe(1);
    house.clock.advance(60 * day);
    await house.collect();
    expect(await house.storedKeys()).toBe(0);
  });

  it('stays as long as the longest of two quarantines says', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const targets = { layers: [old.digest] };
    const first = await house.quarantine({ targets });
    await house.quarantine({ targets });
    await house.destroy(first.name);
    expect(await house.collect()).toMatchObject({ manifests: 0, condemned: 0 });
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 1, collected: 1 });
  });

  it('goes in the repositories of the account whose quarantine ended, not where another one refuses it', async () => {
    const house = await openHouse(world);
    const { old, shop } = await openShop(house);
    await house.push('globex/shop:1', shop);
    await house.quarantine({ targets: { layers: [old.digest] } }, 'acme');
    house.clock.advance(60 * day);
    const other = await house.quarantine({ targets: { repositories: ['globex/*'] } });
    house.clock.advance(31 * day);
    expect(await house.collect()).toMatchObject({ manifests: 1, condemned: 0 });
    await release(house, other.name);
    expect((await house.pull('globex/shop:1')).digest).toBe(shop.manifest.digest);
  });

  it.each(['image', 'index', 'repository'] as const)(
    'stays for the %s that another quarantine marks, as long as that says',
    async (marked) => {
      const house = await openHouse(world);
      const { old, shop } = await openShop(house);
      const index = indexOf(shop.manifest);
      await house.putManifest('acme/shop:all', index);
      await house.quarantine({ targets: { layers: [old.digest] } });
      const { name } = await house.quarantine({
        targets: {
          image: { manifests: [shop.manifest.digest] },
          index: { manifests: [index.digest] },
          repository: { repositories: ['acme/*'] },
        }[marked],
      });
      await hold(house, name, true);
      house.clock.advance(91 * day);
      expect(await house.collect()).toMatchObject({ manifests: 0, condemned: 0 });
      await hold(house, name, false);
      expect((await house.collect()).manifests).toBeGreaterThan(0);
    },
  );

  it('an image stays whose own quarantine ended while one of its repository stands', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    await house.quarantine({ targets: { manifests: [shop.manifest.digest] } });
    const { name } = await house.quarantine({ targets: { repositories: ['acme/*'] } });
    await hold(house, name, true);
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 0 });
    await hold(house, name, false);
    expect(await house.collect()).toMatchObject({ manifests: 1 });
  });

  it('is kept longer, or shorter, by a plan that fixes the moment', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { name } = await house.quarantine({ targets: { layers: [old.digest] } });
    const ask = { quarantine: name, author: 'sec' };
    const plan = await retentionPlan(house.deps, { ...ask, retentionMs: 2 * day });
    house.clock.advance(day);
    const changed = await retentionApply(house.deps, { plan: plan.name, author: 'sec' });
    expect(changed.retainUntil).toBe(plan.request.retainUntil);
    await expect(retentionApply(house.deps, { plan: plan.name, author: 'sec' })).rejects.toMatchObject({
      code: 'conflict',
    });
    house.clock.advance(day);
    expect(await house.collect()).toMatchObject({ manifests: 1, collected: 1 });
    await expect(retentionPlan(house.deps, { ...ask, retentionMs: 0 })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('has one version after the other when two change it at once', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { name } = await house.quarantine({ targets: { layers: [old.digest] } });
    const release = quarantineRelease(house.deps, { quarantine: name, reason: 'ok', author: 'sec' });
    await Promise.allSettled([release, hold(house, name, true)]);
    expect((await quarantineGet(house.database.read, name))?.releasedAt).not.toBeNull();
  });
});

describeEngines('the end of a retention', (world) => {
  it('is warned of seven days and one day before, once each, with what is still tagged', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { uid, retainUntil } = await house.quarantine({ targets: { layers: [old.digest] } });
    house.clock.advance(82 * day);
    expect(await expiring(house)).toEqual([]);
    house.clock.advance(day);
    const warning = { quarantine: uid, retainUntil, images: 1, tagged: ['acme/shop:1'], running: [] };
    expect(await expiring(house)).toEqual([{ ...warning, days: 7 }]);
    house.clock.advance(6 * day);
    expect(await expiring(house)).toEqual([
      { ...warning, days: 7 },
      { ...warning, days: 1 },
    ]);
  });

  it('is warned of anew when it was moved, and not under a legal hold', async () => {
    const house = await openHouse(world);
    const { old } = await openShop(house);
    const { name } = await house.quarantine({ targets: { layers: [old.digest] } });
    house.clock.advance(84 * day);
    await hold(house, name, true);
    expect(await expiring(house)).toEqual([]);
    await hold(house, name, false);
    expect(await expiring(house)).toHaveLength(1);
    const plan = await retentionPlan(house.deps, { quarantine: name, retentionMs: 7 * day, author: 'sec' });
    await retentionApply(house.deps, { plan: plan.name, author: 'sec' });
    expect((await expiring(house)).map((event) => event.days)).toEqual([7, 7]);
  });
});
