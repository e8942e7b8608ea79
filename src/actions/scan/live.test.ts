import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { liveScan } from '../../../test/support/live-scan.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import type { Database } from '../../records/db/database.ts';
import { scanGet } from '../../records/scans/scans.ts';
import { scanAgain } from './kept.ts';
import { type ScanLine, scanLive } from './live.ts';

const lodash: Criteria = { package: { purl: 'pkg:npm/lodash' } };
const express: Criteria = { package: { purl: 'pkg:npm/express' } };

async function pushed(house: House, reference: string, ...packages: string[]) {
  const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: reference }])] });
  await house.push(reference, image);
  await house.inspected(image, [{ packages: packages.map((name) => ({ name, version: '1.0.0' })) }]);
}

async function openShops(world: Parameters<typeof openHouse>[0]) {
  const house = await openHouse(world);
  for (const name of ['zebra', 'yak', 'ape']) await pushed(house, `acme/${name}:1`, 'lodash');
  await pushed(house, 'globex/owl:1', 'lodash', 'express');
  await pushed(house, 'acme/plain:1', 'express');
  await house.push(
    'acme/new:1',
    buildImage({ layers: [await buildLayer([{ path: 'is', content: 'new' }])] }),
  );
  return house;
}

const request = (criteria: Criteria) => ({ criteria, scope: {}, requestedBy: 'jo' });

/** Stands still when whatever is in scope is about to be learnt, which is what a search over everything begins with. */
function beforeTheWhole(database: Database, until: Promise<void>): Database {
  return {
    ...database,
    search: async (query, signal) => {
      if (query.sql.includes("'uninspected'")) await until;
      return database.search(query, signal);
    },
  };
}

describeEngines('an answer that is given while it is found', (world) => {
  it('has the first images, with their evidence and how many there are, before the whole search has begun', async () => {
    const house = await openShops(world);
    const { promise, resolve } = Promise.withResolvers<void>();
    const deps = { ...house.deps, database: beforeTheWhole(house.database, promise) };
    const lines: ScanLine[] = [];
    for await (const line of scanLive(deps, { ...request(lodash), pageSize: 2 })) {
      lines.push(line);
      if (lines.length === 3) resolve();
    }
    const [first, second, counted] = lines;
    for (const line of [first, second])
      expect(line).toMatchObject({
        image: { verdict: 'match', verdictNow: 'match', evidence: [{ purl: 'pkg:npm/lodash@1.0.0' }] },
      });
    expect(counted).toEqual({ matchAtLeast: 4, isAll: true });
    expect(lines.map((line) => Object.keys(line)[0])).toEqual([
      ...['image', 'image', 'matchAtLeast'],
      ...['image', 'image', 'image', 'answer'],
    ]);
  });

  it('has each image once, the others in the order that was asked for, and ends with what can be read again', async () => {
    const house = await openShops(world);
    const { images, answer } = await liveScan(house.deps, {
      ...request(lodash),
      order: 'name',
      pageSize: 0,
    });
    expect(images.map(({ repository, verdict }) => `${repository} ${verdict}`)).toEqual([
      ...['acme/ape match', 'acme/yak match', 'acme/zebra match', 'globex/owl match'],
      'acme/new unknown',
    ]);
    expect(answer.counts).toMatchObject({ match: 4, unknown: 1, noMatch: 1 });
    const stored = await scanGet(house.database.read, answer.name);
    if (!stored) throw new Error('it was kept');
    expect(await scanAgain(house.database, stored)).toMatchObject({ ...answer, next: null });
  });

  it('says nothing early of what all parts decide, and of what its scope leaves out', async () => {
    const house = await openShops(world);
    const both = await liveScan(house.deps, { ...request({ all: [lodash, express] }), pageSize: 0 });
    expect(both.early).toEqual([]);
    expect(both.images.map(({ repository }) => repository)).toContain('globex/owl');
    const none = await liveScan(house.deps, { ...request({ not: lodash }), pageSize: 0 });
    expect(none.early).toEqual([]);
    const globex = { repositoryGlob: 'globex/**' };
    const few = await liveScan(house.deps, { ...request(lodash), scope: globex, pageSize: 0 });
    expect(few.early).toEqual([1]);
    expect(few.images.map(({ repository }) => repository)).toEqual(['globex/owl']);
    const either = await liveScan(house.deps, { ...request({ any: [lodash, express] }), pageSize: 0 });
    expect(either.early).toEqual([5]);
  });
});
