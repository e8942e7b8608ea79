import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer, type Image } from '../../../test/support/oci-layout.ts';
import { logRead } from '../../records/log/log.ts';
import { quarantineApplyPlan } from './apply.ts';
import { exemptTask } from './exempt.ts';
import { quarantinePlan } from './plan.ts';
import { quarantineRelease } from './release.ts';

/** One base with an old lodash: a shop that shows it, and an app whose upper layer has another. */
const day = 86_400_000;
const question = {
  criteria: { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } },
  scope: {},
} as const;
const old = { name: 'lodash', version: '4.17.20' };
const hides = [{ packages: [{ ...old, hidden: true }] }, { packages: [{ ...old, version: '4.17.21' }] }];
const shows = [{ packages: [old] }, {}];
const refused = { code: 'quarantined' };
const running = new AbortController().signal;

async function openBase(house: House) {
  const base = await buildLayer([{ path: 'app/lodash.js', content: 'old' }]);
  const image = async (name: string) =>
    buildImage({ layers: [base, await buildLayer([{ path: 'app/own', content: name }])] });
  const shop = await image('shop');
  const app = await image('app');
  await house.push('acme/shop:1', shop);
  await house.push('acme/app:1', app);
  await house.inspected(shop, shows);
  await house.inspected(app, hides);
  return { base, image, shop, app };
}

const setOn = (house: House, unknown: 'allow' | 'refuse' = 'allow') =>
  house.quarantine(question, null, { reach: 'image', unknown });

/** The task as one server process runs it, begun before what it is to see. */
async function exempting(house: House): Promise<() => Promise<void>> {
  const task = exemptTask(house.deps);
  const drain = async () => {
    while ((await task.run(running)) === 'worked');
  };
  await drain();
  return drain;
}

/** Until it waits for the clock, then past its wait. */
async function afterAll<T>(house: House, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let settled = false;
  const ended = Promise.allSettled([work]).then(([result]) => {
    settled = true;
    return result;
  });
  while (!settled) {
    await new Promise(setImmediate);
    house.clock.advance(100);
  }
  return ended;
}

const undecided = async (house: House, image: Image) => {
  await house.push('acme/new:1', image);
  return house.pull('acme/new:1');
};

describeEngines('a quarantine of reach image', (world) => {
  it('is what a question for packages gets, shows what each reach makes of every image, and does that', async () => {
    const house = await openHouse(world);
    const { shop, app } = await openBase(house);
    const plan = await quarantinePlan(house.deps, { question, account: null, author: 'sec' });
    expect(plan.request.reach).toBe('image');
    expect(plan.radius.images).toEqual([
      { repository: 'acme/app', digest: app.manifest.digest, tags: ['1'], reachImage: 'spared' },
      { repository: 'acme/shop', digest: shop.manifest.digest, tags: ['1'], reachImage: 'refused' },
    ]);
    await quarantineApplyPlan(house.deps, { plan: plan.name, reason: 'INC-42', author: 'sec' });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
    expect((await house.pull('acme/app:1')).digest).toBe(app.manifest.digest);
    const { types } = await lane(house);
    expect(types).toEqual(['quarantine.exempted', 'quarantine.set']);
  });

  it('leaves a layer to who may push, and to who may pull where an image that is spared needs it', async () => {
    const house = await openHouse(world);
    const { base } = await openBase(house);
    await setOn(house);
    await expect(house.pullBlob('acme/shop', base.digest)).rejects.toMatchObject(refused);
    expect(await house.pullBlob('acme/shop', base.digest, true)).toEqual(Buffer.from(base.bytes));
    expect(await house.pullBlob('acme/app', base.digest)).toEqual(Buffer.from(base.bytes));
    await house.pushBlob('acme/fix', base);
  });

  it('takes a new image on the layer, and serves it when its inspection has shown that it hides the match', async () => {
    const house = await openHouse(world);
    const { image } = await openBase(house);
    const exempt = await exempting(house);
    await setOn(house);
    await exempt();
    const fix = await image('fix');
    const pull = undecided(house, fix);
    await expect.poll(() => house.clock.sleepers).toBe(1);
    await house.inspected(fix, hides);
    await exempt();
    expect(await afterAll(house, pull)).toMatchObject({ status: 'fulfilled' });
  });

  it('refuses a new image when its inspection takes too long, or has shown the match', async () => {
    const house = await openHouse(world);
    const { image } = await openBase(house);
    const exempt = await exempting(house);
    await setOn(house);
    await exempt();
    const bad = await image('bad');
    expect(await afterAll(house, undecided(house, bad))).toMatchObject({ reason: refused });
    await house.inspected(bad, shows);
    await exempt();
    await expect(house.pull('acme/new:1')).rejects.toMatchObject(refused);
    await expect(house.putManifest('acme/new:2', bad.manifest)).rejects.toMatchObject(refused);
  });

  it.each([
    ['allow', 'fulfilled'],
    ['refuse', 'rejected'],
  ] as const)(
    'with unknown %s decides an image whose inspection ended without an answer',
    async (unknown, status) => {
      const house = await openHouse(world);
      const { image } = await openBase(house);
      const odd = await image('odd');
      await house.push('acme/odd:1', odd);
      await house.inspected(odd, [], 'unknown');
      await setOn(house, unknown);
      const [pull] = await Promise.allSettled([house.pull('acme/odd:1')]);
      expect(pull).toMatchObject({ status });
    },
  );

  it('takes an exemption back when a newer inspection shows the match', async () => {
    const house = await openHouse(world);
    const { app } = await openBase(house);
    const exempt = await exempting(house);
    await setOn(house);
    await exempt();
    await house.inspected(app, shows);
    await exempt();
    await expect(house.pull('acme/app:1')).rejects.toMatchObject(refused);
  });

  it('is not applied when it would refuse more images than its plan showed', async () => {
    const house = await openHouse(world);
    const { app } = await openBase(house);
    const plan = await quarantinePlan(house.deps, { question, account: null, author: 'sec' });
    await house.inspected(app, shows);
    const apply = quarantineApplyPlan(house.deps, { plan: plan.name, reason: 'INC-42', author: 'sec' });
    await expect(apply).rejects.toMatchObject({
      code: 'planStale',
      detail: { growth: [`image acme/app@${app.manifest.digest}`] },
    });
  });

  it('never takes a layer that an image which is spared needs, and withdraws those that are not', async () => {
    const house = await openHouse(world);
    const { app } = await openBase(house);
    const { name } = await setOn(house);
    house.clock.advance(91 * day);
    expect(await house.collect()).toMatchObject({ manifests: 1 });
    expect((await house.pull('acme/app:1')).digest).toBe(app.manifest.digest);
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
    await quarantineRelease(house.deps, { quarantine: name, reason: 'ok', author: 'sec' });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject({ code: 'manifestUnknown' });
  });

  it('needs a question to spare by', async () => {
    const house = await openHouse(world);
    const { base } = await openBase(house);
    const ask = { question: { targets: { layers: [base.digest] } }, account: null, author: 'sec' };
    const plan = quarantinePlan(house.deps, { ...ask, reach: 'image' });
    await expect(plan).rejects.toMatchObject({ code: 'invalid', detail: { path: 'reach' } });
    expect((await quarantinePlan(house.deps, ask)).request.reach).toBe('layer');
  });
});

async function lane(house: House): Promise<{ types: string[] }> {
  const events = await logRead(house.database.read, { after: 0, limit: 100, lane: 'quarantine' });
  return { types: events.map((event) => event.type) };
}
