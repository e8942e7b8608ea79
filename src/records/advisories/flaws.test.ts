import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';

const critical = { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }] };
const osv = (id: string, more: object = {}) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  affected: [
    {
      package: { ecosystem: 'npm', name: 'lodash' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }],
    },
  ],
  ...more,
});

async function flaws({ database }: InventoryWorld): Promise<string[]> {
  const rows = await database.read
    .selectFrom('advisories')
    .select(['advisory_id', 'flaw', 'severity', 'severity_from'])
    .orderBy('advisory_id')
    .execute();
  return rows.map((row) => `${row.advisory_id} ${row.flaw} ${row.severity} ${row.severity_from}`);
}

const orders = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
] as const;

describeEngines('advisories of one flaw', (engines) => {
  test.each(orders)(
    'have one name and the severity that one of them has, whichever comes first: %d %d %d',
    async (...order) => {
      await using world = await inventoryWorld(engines);
      const documents = [
        osv('GHSA-1', { aliases: ['CVE-2026-1000'], ...critical }),
        osv('PYSEC-1', { aliases: ['GHSA-1'] }),
        osv('DEBIAN-1', { upstream: ['CVE-2026-1000'], related: ['CVE-2026-9999'] }),
      ];
      for (const at of order) await world.import(documents[at]);
      expect(await flaws(world)).toEqual([
        'DEBIAN-1 CVE-2026-1000 critical alias',
        'GHSA-1 CVE-2026-1000 critical cvss',
        'PYSEC-1 CVE-2026-1000 critical alias',
      ]);
    },
  );

  test('that name each other in a cycle, or pass on several flaws, are what they say', async () => {
    await using world = await inventoryWorld(engines);
    await world.import([
      osv('A-1', { aliases: ['A-2', 'A-1'] }),
      osv('A-2', { aliases: ['A-3'] }),
      osv('A-3', { aliases: ['A-1'] }),
      osv('DSA-1', { upstream: ['CVE-2026-1000', 'CVE-2026-1001'] }),
    ]);
    expect(await flaws(world)).toEqual([
      'A-1 A-1 unknown null',
      'A-2 A-2 unknown null',
      'A-3 A-1 unknown null',
      'DSA-1 DSA-1 unknown null',
    ]);
  });

  test.each(orders)(
    'are not those that pass on several flaws, whichever comes first: %d %d %d',
    async (...order) => {
      await using world = await inventoryWorld(engines);
      const documents = [
        osv('CVE-2026-1000', critical),
        osv('DSA-1', { upstream: ['CVE-2026-1000', 'CVE-2026-1001'] }),
        osv('USN-1', { upstream: ['CVE-2026-1000', 'UBUNTU-CVE-2026-1000'] }),
      ];
      for (const at of order) await world.import(documents[at]);
      expect(await flaws(world)).toEqual([
        'CVE-2026-1000 CVE-2026-1000 critical cvss',
        'DSA-1 DSA-1 unknown null',
        'USN-1 CVE-2026-1000 critical alias',
      ]);
    },
  );

  test('give their severity to the findings of the others, and take it back', async () => {
    await using world = await inventoryWorld(engines);
    const path = 'app/node_modules/x/package.json';
    const content = JSON.stringify({ name: 'lodash', version: '1.0.0' });
    await world.push({ layers: [await buildLayer([{ path, content }])] });
    await world.drain();
    const severities = async () =>
      (
        await world.database.read
          .selectFrom('findings')
          .innerJoin('advisories', 'advisories.id', 'findings.advisory_id')
          .select(['advisories.advisory_id', 'findings.severity'])
          .where('until', 'is', null)
          .orderBy('advisories.advisory_id')
          .execute()
      ).map((row) => `${row.advisory_id} ${row.severity}`);
    await world.import(osv('DEBIAN-1', { aliases: ['CVE-2026-1000'] }));
    expect(await severities()).toEqual(['DEBIAN-1 unknown']);
    await world.import(osv('GHSA-1', { aliases: ['CVE-2026-1000'], ...critical }), { source: 'other' });
    expect(await severities()).toEqual(['DEBIAN-1 critical', 'GHSA-1 critical']);
    expect((await world.events('advisory.imported')).at(-1)).toMatchObject({ packagesAffected: 1 });
    const withdrawn = { modified: '2026-01-02T00:00:00Z', withdrawn: '2026-01-02T00:00:00Z' };
    await world.import(osv('GHSA-1', { aliases: ['CVE-2026-1000'], ...critical, ...withdrawn }), {
      source: 'other',
    });
    expect(await severities()).toEqual(['DEBIAN-1 unknown']);
  });
});
