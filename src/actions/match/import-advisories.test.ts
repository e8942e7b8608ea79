import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { rpmHeader, sqliteDatabase } from '../../../test/support/rpm-databases.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';

interface Told {
  readonly id?: string;
  readonly modified?: string;
  readonly name?: string;
  readonly ecosystem?: string;
  readonly fixed?: string;
  readonly withdrawn?: string;
  readonly severity?: string;
}

/** An OSV document about versions before `fixed`. */
function osv({
  id = 'GHSA-1',
  modified = '2026-01-01T00:00:00Z',
  name = 'lodash',
  ecosystem = 'npm',
  ...told
}: Told = {}) {
  const type = ecosystem === 'npm' ? 'SEMVER' : 'ECOSYSTEM';
  return {
    id,
    modified,
    aliases: [`CVE-of-${id}`],
    ...(told.withdrawn ? { withdrawn: told.withdrawn } : {}),
    database_specific: { severity: told.severity ?? 'HIGH' },
    affected: [
      {
        package: { ecosystem, name },
        ranges: [{ type, events: [{ introduced: '0' }, { fixed: told.fixed ?? '4.17.21' }] }],
      },
    ],
  };
}

const npmLayer = (name: string, version: string) =>
  buildLayer([{ path: 'app/node_modules/x/package.json', content: JSON.stringify({ name, version }) }]);

async function withPackage(world: InventoryWorld, name: string, version: string): Promise<void> {
  await world.push({ layers: [await npmLayer(name, version)] });
  await world.drain();
}

/** Of all packages, with the history: `name@version id fixed since-until`. */
async function findings({ database }: InventoryWorld): Promise<string[]> {
  const rows = await database.read
    .selectFrom('findings')
    .innerJoin('packages', 'packages.id', 'findings.package_id')
    .innerJoin('advisories', 'advisories.id', 'findings.advisory_id')
    .select(['packages.name', 'packages.version', 'advisories.advisory_id', 'findings.fixed_version'])
    .select(['findings.severity', 'findings.verdict', 'findings.until'])
    .orderBy('packages.id')
    .orderBy('findings.since')
    .execute();
  return rows.map(
    (row) =>
      `${row.name}@${row.version} ${row.verdict} ${row.advisory_id} ${row.fixed_version} ${row.severity} ${row.until === null ? 'open' : 'ended'}`,
  );
}

describeEngines('an import of advisories', (engines) => {
  test('finds the packages that are here, tells of them, and lifts what is withdrawn', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', '4.17.20');
    await withPackage(world, 'lodash', '4.17.21');

    expect(await world.import(osv())).toMatchObject({ read: 1, changed: 1, findings: { new: 1, ended: 0 } });
    expect(await findings(world)).toEqual(['lodash@4.17.20 affected GHSA-1 4.17.21 high open']);
    const [packageRow] = await world.database.read.selectFrom('findings').select('package_id').execute();
    expect(await world.events('advisory.imported')).toEqual([
      {
        source: 'test',
        documents: 1,
        changed: 1,
        withdrawn: 0,
        broken: 0,
        packagesAffected: 1,
        packageIds: [packageRow?.package_id],
      },
    ]);

    world.clock.advance(1_000);
    const lifted = await world.import(
      osv({ modified: '2026-01-02T00:00:00Z', withdrawn: '2026-01-02T00:00:00Z' }),
    );
    expect(lifted).toMatchObject({ changed: 1, withdrawn: 1, findings: { new: 0, ended: 1 } });
    world.clock.advance(1_000);
    await world.import(osv({ modified: '2026-01-03T00:00:00Z' }));
    expect(await findings(world)).toEqual([
      'lodash@4.17.20 affected GHSA-1 4.17.21 high ended',
      'lodash@4.17.20 affected GHSA-1 4.17.21 high open',
    ]);
  });

  test('is met by a package that comes after it', async () => {
    await using world = await inventoryWorld(engines);
    await world.import([osv(), osv({ id: 'GHSA-2', withdrawn: '2026-01-01T00:00:00Z' })]);
    await withPackage(world, 'lodash', '4.17.20');
    expect(await findings(world)).toEqual(['lodash@4.17.20 affected GHSA-1 4.17.21 high open']);
  });

  test('narrowed later ends what it no longer says, and changes what it says otherwise', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', '4.17.20');
    await withPackage(world, 'lodash', '4.17.19');
    await world.import(osv());
    await world.import(osv({ modified: '2026-01-02T00:00:00Z', fixed: '4.17.20', severity: 'CRITICAL' }));
    expect((await findings(world)).sort()).toEqual([
      'lodash@4.17.19 affected GHSA-1 4.17.20 critical open',
      'lodash@4.17.20 affected GHSA-1 4.17.21 high ended',
    ]);
  });

  test('again changes nothing, an older document neither, and each source has its own', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', '4.17.20');
    await world.import(osv());
    expect(await world.import(osv())).toMatchObject({ changed: 0, unchanged: 1 });
    expect(await world.import(osv({ modified: '2025-01-01T00:00:00Z', fixed: '1.0.0' }))).toMatchObject({
      changed: 0,
    });
    expect(await world.import(osv({ withdrawn: '2026-01-01T00:00:00Z' }), { source: 'other' })).toMatchObject(
      {
        changed: 1,
      },
    );
    expect(await findings(world)).toEqual(['lodash@4.17.20 affected GHSA-1 4.17.21 high open']);
    expect(await advisorySourceList(world.database.read)).toMatchObject([
      { source: 'other', documents: 1 },
      { source: 'test', documents: 1 },
    ]);
  });

  test('lists what is broken and imports the rest', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', '4.17.20');
    const lines = ['{"id": "GHSA-0", "broken', JSON.stringify(osv()), '{"id":"GHSA-3"}', '[]'].join('\n');
    const answer = await world.import(gzipSync(lines));
    expect(answer).toMatchObject({ read: 4, changed: 1, brokenCount: 3, findings: { new: 1 } });
    expect(answer.broken.map(({ where }) => where)).toEqual(['line 1', 'line 3', 'line 4']);
    expect(answer.broken[1]?.error).toContain('GHSA-3');
    expect(await world.import('{"id":')).toMatchObject({ read: 1, changed: 0, brokenCount: 1 });
  });

  test('of many documents comes in batches, each with its event', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', '4.17.20');
    const many = Array.from({ length: 300 }, (_, index) => osv({ id: `GHSA-${index}` }));
    expect(await world.import(many)).toMatchObject({ read: 300, changed: 300, findings: { new: 300 } });
    const told = (await world.events('advisory.imported')).map(({ changed }) => Number(changed));
    expect(told.length).toBeGreaterThan(1);
    expect(told.reduce((total, changed) => total + changed)).toBe(300);
    expect(await advisorySourceList(world.database.read)).toMatchObject([{ documents: 300 }]);
  });

  test('finds npm packages of before the lower-case rule, and tells them from their namesakes', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'JSONStream', '1.0.0');
    await withPackage(world, 'jsonstream', '1.0.0');
    await world.import(osv({ name: 'JSONStream' }));
    expect(await findings(world)).toEqual(['JSONStream@1.0.0 affected GHSA-1 4.17.21 high open']);
  });

  test('finds Debian packages by their source, in the release of their image', async () => {
    await using world = await inventoryWorld(engines);
    const status =
      'Package: libpgjava\nStatus: install ok installed\nArchitecture: all\nVersion: 42.2.15-1+b1\nSource: pgjdbc (42.2.15-1)\n';
    const base = await buildLayer([{ path: 'usr/lib/os-release', content: 'ID=debian\nVERSION_ID="11"\n' }]);
    const upper = await buildLayer([{ path: 'var/lib/dpkg/status', content: status }]);
    await world.import([
      osv({ id: 'DSA-1', ecosystem: 'Debian:11', name: 'pgjdbc', fixed: '42.2.15-1+deb11u1' }),
      osv({ id: 'DSA-2', ecosystem: 'Debian:12', name: 'pgjdbc', fixed: '42.2.15-1+deb11u1' }),
    ]);
    await world.push({ layers: [base, upper] });
    await world.drain();
    expect(await findings(world)).toEqual([
      'libpgjava@42.2.15-1+b1 affected DSA-1 42.2.15-1+deb11u1 high open',
    ]);
  });

  test('finds packages by the name that the advisories of their distribution write', async () => {
    await using world = await inventoryWorld(engines);
    const openssl = { version: '3.0.1', release: '1', source: 'openssl-3.0.1-1.src.rpm' };
    const content = sqliteDatabase([rpmHeader({ name: 'openssl-libs', epoch: 1, ...openssl })]);
    for (const os of ['almalinux', 'rocky', 'rhel'])
      await world.push({
        layers: [
          await buildLayer([
            { path: 'etc/os-release', content: `ID=${os}\nVERSION_ID="9.0"\n` },
            { path: 'var/lib/rpm/rpmdb.sqlite', content },
          ]),
        ],
      });
    await world.drain();
    const advisory = (id: string, ecosystem: string, name: string) => ({
      ...osv({ id, ecosystem, name }),
      affected: [{ package: { ecosystem, name }, versions: ['1:3.0.1-1'] }],
    });
    await world.import([
      advisory('ALSA-1', 'AlmaLinux:9', 'openssl-libs'),
      advisory('ALSA-2', 'AlmaLinux:9', 'openssl'),
      advisory('RHSA-1', 'Red Hat:enterprise_linux:9::baseos', 'openssl-libs'),
      advisory('RHSA-2', 'Red Hat:rhel_eus:9.2::baseos', 'openssl-libs'),
      advisory('RLSA-1', 'Rocky Linux:9', 'openssl'),
      advisory('RLSA-2', 'Rocky Linux:9', 'openssl-libs'),
    ]);
    const found = (await findings(world)).map((line) => line.split(' ').slice(0, 3));
    expect(found.sort()).toEqual([
      ['openssl-libs@1:3.0.1-1', 'affected', 'ALSA-1'],
      ['openssl-libs@1:3.0.1-1', 'affected', 'RHSA-1'],
      ['openssl-libs@1:3.0.1-1', 'affected', 'RLSA-1'],
    ]);
  });

  test('that can not be decided for a version says so', async () => {
    await using world = await inventoryWorld(engines);
    await withPackage(world, 'lodash', 'not a version');
    await world.import(osv());
    expect(await findings(world)).toEqual(['lodash@not a version unknown GHSA-1 null high open']);
  });

  test('reads what real sources publish', async () => {
    await using world = await inventoryWorld(engines);
    for (const file of ['npm.jsonl', 'debian.jsonl']) {
      const documents = await readFile(new URL(`../../../test/fixtures/osv/${file}`, import.meta.url));
      expect(await world.import(documents, { source: file })).toMatchObject({ brokenCount: 0 });
    }
  });

  test('of a source with an unusable name is refused', async () => {
    await using world = await inventoryWorld(engines);
    await expect(world.import(osv(), { source: '../x' })).rejects.toMatchObject({ code: 'invalid' });
  });
});
