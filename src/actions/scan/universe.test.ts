import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer, type Image } from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import type { Database } from '../../records/db/database.ts';
import { scanGet } from '../../records/scans/scans.ts';
import { evaluateInScope } from './evaluate.ts';
import { scanPage } from './kept.ts';
import { scan } from './scan.ts';

const lodash: Criteria = { package: { purl: 'pkg:npm/lodash' } };

async function push(house: House, reference: string): Promise<Image> {
  const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: reference }])] });
  await house.push(reference, image);
  return image;
}

async function inspected(house: House, reference: string, ...packages: string[]): Promise<Image> {
  const image = await push(house, reference);
  await house.inspected(image, [{ packages: packages.map((name) => ({ name, version: '1.0.0' })) }]);
  return image;
}

/** Does `work` once, when the search has learnt what is in scope and before it looks for anything. */
function meanwhile(database: Database, work: () => Promise<unknown>): Database {
  let isDone = false;
  return {
    ...database,
    search: async (query, signal) => {
      const rows = await database.search(query, signal);
      if (!isDone && query.sql.includes("'uninspected'")) {
        isDone = true;
        await work();
      }
      return rows;
    },
  };
}

describeEngines('a scan of many images', (world) => {
  it('lists only those that it found something of, and those that are not inspected; it counts all', async () => {
    const house = await openHouse(world);
    const found = await inspected(house, 'acme/shop:1', 'lodash');
    await house.push('globex/shop:1', found);
    for (const at of [1, 2, 3]) await inspected(house, `acme/app-${at}:1`, 'express');
    await push(house, 'acme/new:1');
    const { universe, matches, unknowns } = await evaluateInScope(house.database, lodash, {});
    expect(universe.placements).toHaveLength(3);
    expect([universe.size, matches.size, unknowns.size]).toEqual([6, 2, 1]);
    const answer = await scan(house.deps, { criteria: lodash, scope: {}, requestedBy: 'jo' });
    expect(answer.counts).toMatchObject({ match: 2, unknown: 1, noMatch: 3 });
    expect(answer.covers).toMatchObject({ images: 6, uninspected: 1 });
  });

  it('lists all where what it did not find is asked for, and pages through them', async () => {
    const house = await openHouse(world);
    await inspected(house, 'acme/shop:1', 'lodash');
    for (const at of [1, 2, 3]) await inspected(house, `acme/app-${at}:1`);
    await push(house, 'acme/new:1');
    const ask = { criteria: { not: lodash }, scope: {}, requestedBy: 'jo', pageSize: 2 };
    const answer = await scan(house.deps, ask);
    expect(answer.counts).toMatchObject({ match: 3, unknown: 1, noMatch: 1 });
    const stored = await scanGet(house.database.read, answer.name);
    if (!stored) throw new Error('it was kept');
    const rest = await scanPage(house.database, stored, { cursor: answer.next ?? undefined });
    expect(
      [...answer.images, ...rest.images].map(({ repository, verdict }) => [repository, verdict]),
    ).toEqual([
      ['acme/app-1', 'match'],
      ['acme/app-2', 'match'],
      ['acme/app-3', 'match'],
      ['acme/new', 'unknown'],
    ]);
  });

  it('goes on in whatever order it was begun: what matches, and then what is unknown', async () => {
    const house = await openHouse(world);
    await push(house, 'acme/aaa:1');
    for (const name of ['shop', 'portal', 'zoo']) await inspected(house, `acme/${name}:1`, 'lodash');
    for (const order of ['name', 'severity', 'pushed', 'pulled'] as const) {
      const ask = { criteria: lodash, scope: {}, requestedBy: 'jo', pageSize: 2, order };
      const answer = await scan(house.deps, ask);
      const stored = await scanGet(house.database.read, answer.name);
      if (!stored) throw new Error('it was kept');
      const rest = await scanPage(house.database, stored, { cursor: answer.next ?? undefined, order });
      const all = [...answer.images, ...rest.images];
      expect(new Set(all.map(({ repository }) => repository)).size).toBe(4);
      expect(all.map(({ verdict }) => verdict)).toEqual(['match', 'match', 'match', 'unknown']);
    }
  });

  it('lists few where a part of the question leaves few, whatever others don’t find', async () => {
    const house = await openHouse(world);
    await inspected(house, 'acme/shop:1', 'lodash');
    await inspected(house, 'acme/both:1', 'lodash', 'express');
    for (const at of [1, 2, 3]) await inspected(house, `acme/app-${at}:1`);
    const criteria: Criteria = { all: [lodash, { not: { package: { purl: 'pkg:npm/express' } } }] };
    const { universe, matches } = await evaluateInScope(house.database, criteria, {});
    expect([universe.placements.length, universe.size, matches.size]).toEqual([2, 5, 1]);
  });

  it.each([[lodash], [{ not: lodash }]])(
    'does not know what was inspected only while it searched',
    async (criteria) => {
      const house = await openHouse(world);
      const image = await push(house, 'acme/shop:1');
      const database = meanwhile(house.database, () => house.inspected(image, [{}]));
      const { matches, unknowns, reasonOf } = await evaluateInScope(database, criteria, {});
      expect([matches.size, unknowns.size]).toEqual([0, 1]);
      expect(reasonOf([...unknowns][0] ?? -1)).toBe('its inspection has not ended');
    },
  );

  it('is not of what was pushed only while it searched', async () => {
    const house = await openHouse(world);
    await inspected(house, 'acme/shop:1');
    const database = meanwhile(house.database, () => inspected(house, 'acme/new:1', 'lodash'));
    const { universe, matches, unknowns } = await evaluateInScope(database, { not: lodash }, {});
    expect(matches.size + unknowns.size).toBe(1);
    expect(universe.placements).toHaveLength(1);
  });
});
