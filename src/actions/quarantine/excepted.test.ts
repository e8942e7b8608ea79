import assert from 'node:assert/strict';
import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import {
  except,
  expireExceptions,
  importAdvisories,
  npmAdvisory,
  withdraw,
} from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer, type Image } from '../../../test/support/oci-layout.ts';
import { scan } from '../scan/scan.ts';
import { exemptTask } from './exempt.ts';
import { quarantinePlan } from './plan.ts';

/** One base with lodash, below a shop of acme's and one of globex's. */
const question = { criteria: { advisory: { id: 'A-1' } }, scope: {} } as const;
const refused = { code: 'quarantined' };
const running = new AbortController().signal;

async function openShops(house: House) {
  const images: Image[] = [];
  const base = await buildLayer([{ path: 'app/lodash.js', content: 'old' }]);
  for (const repository of ['acme/shop', 'globex/shop']) {
    const own = await buildLayer([{ path: 'app/own', content: repository }]);
    const image = buildImage({ layers: [base, own] });
    images.push(image);
    await house.push(`${repository}:1`, image);
    await house.inspected(image, [{ packages: [{ name: 'lodash', version: '4.17.20' }] }, {}]);
  }
  await importAdvisories(house, npmAdvisory('A-1', 'lodash'));
  const [acme] = images;
  assert(acme);
  return { acme };
}

const planned = async (house: House, account: string | null, asked: { scan: string } | typeof question) => {
  const { radius } = await quarantinePlan(house.deps, { question: asked, account, author: 'sec' });
  return radius.images.map(({ repository, reachImage }) => `${repository} ${reachImage}`);
};

async function exempting(house: House): Promise<() => Promise<void>> {
  const task = exemptTask(house.deps);
  const drain = async () => {
    while ((await task.run(running)) === 'worked');
  };
  await drain();
  return drain;
}

describeEngines('a quarantine by an advisory', (world) => {
  it('of the operator reaches what an account excepts, also by a scan in which that did not match', async () => {
    const house = await openHouse(world);
    await openShops(house);
    await except(house, 'A-1', { account: 'acme' });
    const { name, counts } = await scan(house.deps, { ...question, requestedBy: 'sec' });
    expect(counts).toMatchObject({ match: 1, noMatch: 1 });
    const both = ['acme/shop refused', 'globex/shop refused'];
    expect(await planned(house, null, question)).toEqual(both);
    expect(await planned(house, null, { scan: name })).toEqual(both);
    await expect(
      planned(house, 'acme', { ...question, scope: { accounts: ['acme'] } }),
    ).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('of the operator is never lifted by an account’s exception, but is by the operator’s, while that counts', async () => {
    const house = await openHouse(world);
    await openShops(house);
    const exempt = await exempting(house);
    await house.quarantine(question, null, { reach: 'image' });
    await except(house, 'A-1', { account: 'acme' });
    await exempt();
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
    const { name } = await except(house, 'A-1', { repositoryGlob: 'acme/*' });
    await exempt();
    await house.pull('acme/shop:1');
    await expect(house.pull('globex/shop:1')).rejects.toMatchObject(refused);
    await withdraw(house, name);
    await exempt();
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
  });

  it('of an account is lifted by its exception, whoever else has the image', async () => {
    const house = await openHouse(world);
    const { acme } = await openShops(house);
    await house.push('globex/copy:1', acme);
    const exempt = await exempting(house);
    await house.quarantine(question, 'acme', { reach: 'image' });
    await except(house, 'A-1', { account: 'acme' });
    await exempt();
    await house.pull('acme/shop:1');
    await house.quarantine(question, 'globex', { reach: 'image' });
    await expect(house.pull('globex/copy:1')).rejects.toMatchObject(refused);
    await house.pull('acme/shop:1');
  });

  it('of an account is lifted by its exception, until that expires', async () => {
    const house = await openHouse(world);
    await openShops(house);
    const exempt = await exempting(house);
    await house.quarantine(question, 'acme', { reach: 'image' });
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
    await except(house, 'A-1', { account: 'acme', expiresAt: house.clock.wallMs() + 60_000 });
    await exempt();
    await house.pull('acme/shop:1');
    house.clock.advance(60_000);
    await expireExceptions(house);
    await exempt();
    await expect(house.pull('acme/shop:1')).rejects.toMatchObject(refused);
  });
});
