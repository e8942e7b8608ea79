import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { AdvisoryCriteria } from '../../criteria/criteria.ts';
import { imageMeets } from './image-meets.ts';

const lodash = {
  path: 'app/node_modules/lodash/package.json',
  content: '{"name":"lodash","version":"4.17.20"}',
};
const all = [{ type: 'SEMVER', events: [{ introduced: '0' }] }];
const named = (id: string, more: object, name = 'lodash') =>
  JSON.stringify({
    id,
    modified: '2026-01-01T00:00:00Z',
    published: '2026-01-01T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name }, ranges: all }],
    ...more,
  });

/** The one about lodash, and others about what the image has not. */
const cases: readonly (readonly [string, readonly string[], AdvisoryCriteria['advisory'], boolean])[] = [
  ['its id', [named('GHSA-1', {})], { id: 'GHSA-1' }, true],
  ['an alias', [named('GHSA-1', { aliases: ['CVE-2026-0001'] })], { id: 'CVE-2026-0001' }, true],
  [
    'the CVE that only another source knows it by',
    [named('GHSA-1', { aliases: ['CVE-2026-0001'] }, 'express'), named('TEST-1', { aliases: ['GHSA-1'] })],
    { id: 'CVE-2026-0001' },
    true,
  ],
  [
    'what another source calls the same flaw',
    [
      named('GHSA-1', { aliases: ['CVE-2026-0001'] }, 'express'),
      named('TEST-1', { aliases: ['CVE-2026-0001'] }),
    ],
    { id: 'GHSA-1' },
    true,
  ],
  [
    'another flaw',
    [named('GHSA-1', { related: ['CVE-2026-0002'] }), named('CVE-2026-0002', {}, 'express')],
    { id: 'CVE-2026-0002' },
    false,
  ],
  ['malice by its name', [named('MAL-2026-1', {})], { malicious: true }, true],
  ['malice by an alias', [named('LWA-2026-1', { aliases: ['MAL-2026-1'] })], { malicious: true }, true],
  [
    'malice that it is not',
    [named('GHSA-1', {}), named('MAL-2026-1', {}, 'express')],
    { malicious: true },
    false,
  ],
];

describeEngines('an advisory is found', (engines) => {
  test.each(cases)('by %s', async (_, documents, advisory, isFound) => {
    await using world = await inventoryWorld(engines);
    const id = await world.push({ layers: [await buildLayer([lodash])] });
    await world.drain();
    await world.import(documents.join('\n'));
    const { verdict } = await imageMeets(world.database, id, { advisory });
    expect(verdict).toBe(isFound ? 'match' : 'noMatch');
  });
});
