import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import type { ScanScope } from '../../records/scans/images.ts';
import { imageMeets } from './image-meets.ts';
import { scan } from './scan.ts';

const oldLodash: Criteria = { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } };
const anyExpress: Criteria = { package: { purl: 'pkg:npm/express' } };

async function openShop(house: House) {
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  const old = await buildLayer([{ path: 'old', content: '1' }]);
  const fixed = await buildLayer([{ path: 'fixed', content: '2' }]);
  const shop = buildImage({ layers: [base, old] });
  const portal = buildImage({ layers: [base, fixed] });
  const secret = buildImage({ layers: [fixed] });
  await house.push('acme/shop:1', shop);
  await house.push('acme/portal:1', portal);
  await house.push('globex/pending:1', secret);
  await house.inspected(shop, [
    { files: [{ path: 'etc/key' }, { path: 'usr/bin/su', mode: 0o4755 }] },
    {
      packages: [
        { name: 'lodash', version: '4.17.20' },
        { name: 'express', version: '4.0.0' },
      ],
      files: [{ path: 'etc/key', kind: 'whiteout' }],
    },
  ]);
  await house.inspected(portal, [{}, { packages: [{ name: 'lodash', version: '4.17.21' }] }]);
  return { base, old, shop, portal };
}

async function verdicts(house: House, criteria: Criteria, scope: ScanScope = {}) {
  const answer = await scan(house.deps, { criteria, scope, requestedBy: 'jo' });
  return Object.fromEntries(answer.images.map((image) => [image.repository, image.verdict]));
}

describeEngines('a scan', (world) => {
  it('finds the images that show a version in the range, and why', async () => {
    const house = await openHouse(world);
    const { old, shop } = await openShop(house);
    const answer = await scan(house.deps, { criteria: oldLodash, scope: {}, requestedBy: 'jo' });
    expect(answer.name).toBe('S-1');
    expect(answer.counts).toMatchObject({ match: 1, unknown: 1, noMatch: 1, tags: 1 });
    const match = answer.images.find((image) => image.verdict === 'match');
    expect(match).toMatchObject({
      repository: 'acme/shop',
      digest: shop.manifest.digest,
      above: { tags: [{ repository: 'acme/shop', tag: '1' }] },
    });
    expect(match?.evidence).toEqual([
      {
        layer: old.digest,
        path: 'node_modules/lodash/package.json',
        purl: 'pkg:npm/lodash@4.17.20',
        advisory: null,
        severity: null,
        fixedVersion: null,
      },
    ]);
  });

  it('says unknown, never clean, of an image that is not inspected', async () => {
    const house = await openHouse(world);
    await openShop(house);
    expect(await verdicts(house, anyExpress)).toEqual({ 'acme/shop': 'match', 'globex/pending': 'unknown' });
    expect(await verdicts(house, { not: anyExpress })).toEqual({
      'acme/portal': 'match',
      'globex/pending': 'unknown',
    });
  });

  it('combines by all and any, and an unknown part leaves the whole unknown where it decides', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const both = { all: [oldLodash, anyExpress] };
    expect(await verdicts(house, both)).toEqual({ 'acme/shop': 'match', 'globex/pending': 'unknown' });
    const either = { any: [{ package: { purl: 'pkg:npm/lodash', versions: '4.17.21' } }, anyExpress] };
    expect(await verdicts(house, either)).toEqual({
      'acme/shop': 'match',
      'acme/portal': 'match',
      'globex/pending': 'unknown',
    });
  });

  it('finds a file in a layer that a later layer hides, and does not find it in the image', async () => {
    const house = await openHouse(world);
    await openShop(house);
    const scope = { repositoryGlob: 'acme/shop' };
    expect(await verdicts(house, { file: { path: 'etc/*' } }, scope)).toEqual({ 'acme/shop': 'match' });
    expect(await verdicts(house, { file: { path: 'etc/*', in: 'image' } }, scope)).toEqual({});
    expect(await verdicts(house, { file: { setuid: true, in: 'image' } }, scope)).toEqual({
      'acme/shop': 'match',
    });
  });

  it('finds no advisory to be unknown everywhere while no feed was ever loaded', async () => {
    const house = await openHouse(world);
    await openShop(house);
    expect(await verdicts(house, { advisory: { severity: 'high' } })).toEqual({
      'acme/shop': 'unknown',
      'acme/portal': 'unknown',
      'globex/pending': 'unknown',
    });
  });

  it('stays within the accounts, the repositories and the image that it is over', async () => {
    const house = await openHouse(world);
    const { portal } = await openShop(house);
    const lodash: Criteria = { package: { purl: 'pkg:npm/lodash' } };
    expect(await verdicts(house, lodash, { accounts: ['globex'] })).toEqual({ 'globex/pending': 'unknown' });
    expect(await verdicts(house, lodash, { repositoryGlob: 'acme/p*' })).toEqual({ 'acme/portal': 'match' });
    const image = { repository: 'acme/portal', digest: portal.manifest.digest };
    expect(await verdicts(house, lodash, { image })).toEqual({ 'acme/portal': 'match' });
    expect(await verdicts(house, lodash, { image, accounts: [] })).toEqual({});
  });

  it('answers for one image what event criteria ask', async () => {
    const house = await openHouse(world);
    const { shop } = await openShop(house);
    const { id } = await house.database.read
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', shop.manifest.digest)
      .executeTakeFirstOrThrow();
    expect(await imageMeets(house.database, id, oldLodash)).toMatchObject({
      verdict: 'match',
      evidence: [{ purl: 'pkg:npm/lodash@4.17.20' }],
    });
    expect(await imageMeets(house.database, id, { not: oldLodash })).toEqual({
      verdict: 'noMatch',
      evidence: [],
    });
  });
});
