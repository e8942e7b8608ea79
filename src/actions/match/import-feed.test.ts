import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { tarOf } from '../../../test/support/layers.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { zipOf } from '../../../test/support/zip.ts';
import { exploitsOf } from '../../records/advisories/exploits.ts';
import { advisoriesShown } from '../../records/advisories/shown.ts';
import { feedStatusList } from '../../records/advisories/status.ts';
import { exportBundle } from './export-bundle.ts';
import { importFeed } from './import-feed.ts';

/** About lodash before 4.17.21. */
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
const text = (id: string, more?: object) => JSON.stringify(osv(id, more));
const people = (id: string) => JSON.stringify(osv(id), null, 2);

async function withPackages(world: InventoryWorld, ...packages: readonly string[]): Promise<void> {
  for (const each of packages) {
    const [name, version] = each.split('@');
    const path = 'app/node_modules/x/package.json';
    await world.push({ layers: [await buildLayer([{ path, content: JSON.stringify({ name, version }) }])] });
  }
  await world.drain();
}

/** `name@version verdict advisory severity` of what stands. */
async function standing({ database }: InventoryWorld): Promise<string[]> {
  const rows = await database.read
    .selectFrom('findings')
    .innerJoin('packages', 'packages.id', 'findings.package_id')
    .innerJoin('advisories', 'advisories.id', 'findings.advisory_id')
    .select(['packages.name', 'packages.version', 'advisories.advisory_id'])
    .select(['findings.severity', 'findings.verdict'])
    .where('until', 'is', null)
    .execute();
  return rows
    .map((row) => `${row.name}@${row.version} ${row.verdict} ${row.advisory_id} ${row.severity}`)
    .sort();
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const files = [
  { name: 'one.json', text: text('A-1') },
  { name: 'deep/two.json', text: people('A-2') },
  { name: 'README.md', text: '# no document' },
  { name: 'lines.jsonl', text: `${text('A-3')}\n${text('A-4')}\n` },
  { name: 'broken.json', text: '{"id":"A-5"' },
  { name: 'packed.json.gz', bytes: gzipSync(text('A-6')) },
];
const lines = ['A-1', 'A-2', 'A-3', 'A-4', 'A-6'].map((id) => text(id));
const tar = tarOf(files);
const several = lines.map((line) => zstdCompressSync(`${line}\n`));

describeEngines('an import tells by the content what it is given:', (engines) => {
  test.each<[string, () => Promise<Buffer>, readonly string[]]>([
    ['a zip', async () => zipOf(files), ['in!/broken.json']],
    ['a tar', async () => tar, ['in!/broken.json']],
    ['a tar, gzipped', async () => gzipSync(await tar), ['in!/broken.json']],
    ['a tar in zstd', async () => zstdCompressSync(await tar), ['in!/broken.json']],
    ['lines', async () => Buffer.from(lines.join('\n')), []],
    ['lines in zstd of several frames', async () => Buffer.concat(several), []],
    ['an array, gzipped', async () => gzipSync(`[${lines.join(',')}]`), []],
  ])('%s', async (_, bytes, broken) => {
    await using world = await inventoryWorld(engines);
    const answer = await world.import(await bytes(), { file: 'in' });
    expect(answer).toMatchObject({ kind: 'osv', changed: 5 });
    expect(answer.broken.map(({ where }) => where)).toEqual(broken);
  });

  test.each<[string, () => Promise<Buffer>, string]>([
    ['a zip without its end', async () => zipOf(files).subarray(0, -30), 'in!/the archive'],
    ['a tar that is cut off', async () => (await tar).subarray(0, -2_000), 'in!/the archive'],
    ['a cut gzip stream', async () => gzipSync(lines.join('\n')).subarray(0, -9), 'in, the stream'],
    ['a gzip stream of nothing', async () => Buffer.from([0x1f, 0x8b, 8, 0, 1]), 'in, the stream'],
  ])('%s says so', async (_, bytes, where) => {
    await using world = await inventoryWorld(engines);
    const answer = await world.import(await bytes(), { file: 'in' });
    expect(answer.broken.map((one) => one.where)).toContain(where);
  });
});

describeEngines('a document that can not be read', (engines) => {
  const broken = (id: string) => text(id).replace('"SEMVER"', '"SOMEHOW"');

  test('makes what it names unknown, until one can be read', async () => {
    await using world = await inventoryWorld(engines);
    await withPackages(world, 'lodash@4.17.20', 'left-pad@1.0.0');
    expect(await world.import(broken('A-1'), { file: 'a.json' })).toMatchObject({ findings: { new: 1 } });
    expect(await standing(world)).toEqual(['lodash@4.17.20 unknown A-1 unknown']);
    await withPackages(world, 'lodash@4.17.21');
    expect(await standing(world)).toHaveLength(2);
    const [status] = await feedStatusList(world.database.read);
    expect(status).toMatchObject({ source: 'test', unreadable: 1 });
    const [shown] = await advisoriesShown(world.database.read, 'A-1', 10);
    expect(shown).toMatchObject({ brokenAt: 'a.json, line 1', packagesFound: 2 });
    expect(shown?.broken).toContain('affected[0].ranges[0].type');

    await world.import(osv('A-1'));
    expect(await standing(world)).toEqual(['lodash@4.17.20 affected A-1 unknown']);
  });

  test('leaves what an earlier one said, and makes the rest of its packages unknown', async () => {
    await using world = await inventoryWorld(engines);
    await withPackages(world, 'lodash@4.17.20', 'lodash@4.17.21');
    await world.import(osv('A-1'));
    await world.import(broken('A-1'));
    expect(await standing(world)).toEqual([
      'lodash@4.17.20 affected A-1 unknown',
      'lodash@4.17.21 unknown A-1 unknown',
    ]);
    await world.import(osv('A-1'));
    expect(await standing(world)).toEqual(['lodash@4.17.20 affected A-1 unknown']);
  });

  test('without an id is kept by its place, until an import of the file no longer has it', async () => {
    await using world = await inventoryWorld(engines);
    await withPackages(world, 'lodash@4.17.20');
    const nameless = '{"affected":[{"package":{"name":"lodash","ecosystem":"npm"},"ranges":7';
    await world.import(`${text('A-1')}\n${nameless}`, { file: 'a.jsonl' });
    await world.import('{"x":', { file: 'b.jsonl' });
    expect(await standing(world)).toEqual([
      'lodash@4.17.20 affected A-1 unknown',
      'lodash@4.17.20 unknown unreadable a.jsonl, line 2 unknown',
    ]);
    world.clock.advance(1_000);
    await world.import(text('A-1'), { file: 'a.jsonl' });
    expect(await standing(world)).toEqual(['lodash@4.17.20 affected A-1 unknown']);
    expect(await feedStatusList(world.database.read)).toMatchObject([{ unreadable: 1 }]);
  });
});

describeEngines('what is known of attacks', (engines) => {
  const entry = (cve: string) => ({
    cveID: cve,
    dateAdded: '2021-12-10',
    dueDate: '2021-12-24',
    knownRansomwareCampaignUse: 'Known',
    vulnerabilityName: 'Of a logger',
  });
  const catalogue = (...cves: readonly string[]) => ({
    title: 'Catalog',
    catalogVersion: '2026.01.01',
    count: cves.length,
    vulnerabilities: cves.map(entry),
  });

  test('comes from CISA, as a whole, and tells which packages it concerns', async () => {
    await using world = await inventoryWorld(engines);
    await withPackages(world, 'lodash@4.17.20');
    await world.import(osv('A-1', { aliases: ['CVE-2021-44228'] }));
    const loaded = await world.import(catalogue('CVE-2021-44228', 'CVE-2020-1111'), { source: 'kev' });
    expect(loaded).toMatchObject({ kind: 'kev', read: 2, changed: 2 });
    expect((await world.events('advisory.imported')).at(-1)).toMatchObject({
      kind: 'kev',
      packagesAffected: 1,
    });
    expect((await exploitsOf(world.database.read, 'CVE-2021-44228')).exploited).toMatchObject({
      addedOn: '2021-12-10',
      ransomware: true,
    });
    await world.import(catalogue('CVE-2021-44228'), { source: 'kev' });
    expect((await exploitsOf(world.database.read, 'CVE-2020-1111')).exploited).toBeUndefined();
    await expect(world.import(catalogue('x'), { source: 'kev' })).rejects.toMatchObject({
      detail: { path: 'catalogue.vulnerabilities[0].cveID' },
    });
    expect((await exploitsOf(world.database.read, 'CVE-2021-44228')).exploited).toBeDefined();
  });

  test('comes as EPSS, whose newest scores count alone', async () => {
    await using world = await inventoryWorld(engines);
    const csv = '#model_version:v1,score_date:2026-01-01\ncve,epss,percentile\nCVE-2020-1111,0.5,0.9\n';
    expect(await world.import(`${csv}CVE-2020-2222,0.001,0.1\n`, { source: 'epss' })).toMatchObject({
      kind: 'epss',
      read: 2,
    });
    world.clock.advance(1_000);
    await world.import(gzipSync(csv.replace('0.5', '0.6')), { source: 'epss' });
    expect((await exploitsOf(world.database.read, 'CVE-2020-1111')).score?.score).toBeCloseTo(0.6);
    expect((await exploitsOf(world.database.read, 'CVE-2020-2222')).score).toBeUndefined();
    await expect(world.import(`${csv}CVE-2020-2222,2,0.1`, { source: 'epss' })).rejects.toThrow('line 4');
  });

  test('is a source of its own, which takes no name from advisories', async () => {
    await using world = await inventoryWorld(engines);
    const csv = 'cve,epss,percentile\nCVE-2020-1111,0.5,0.9\n';
    const given = [text('A-1'), JSON.stringify(catalogue('CVE-2021-44228')), csv];
    for (const documents of given)
      await importFeed(world, { documents: Readable.from([Buffer.from(documents)]), actor: 'jo' });
    const loaded = async () =>
      (await feedStatusList(world.database.read)).map(({ source, kind, documents }) => [
        source,
        kind,
        documents,
      ]);
    const sources = [
      ['cisa-kev', 'kev', 1],
      ['epss', 'epss', 1],
      ['import', 'osv', 1],
    ];
    expect(await loaded()).toEqual(sources);
    for (const other of given.slice(1))
      await expect(
        importFeed(world, { source: 'import', documents: Readable.from([Buffer.from(other)]), actor: 'jo' }),
      ).rejects.toMatchObject({ code: 'conflict', detail: { path: 'source' } });
    await expect(world.import(osv('A-1'), { source: 'epss' })).rejects.toThrow('give advisories another one');
    expect(await loaded()).toEqual(sources);
  });

  test('comes as it is published', async () => {
    await using world = await inventoryWorld(engines);
    const published = (name: string) =>
      readFile(new URL(`../../../test/fixtures/exploits/${name}`, import.meta.url));
    const catalogue = await published('known_exploited_vulnerabilities.json.gz');
    expect(await world.import(catalogue, { source: 'kev' })).toMatchObject({ kind: 'kev', read: 1_500 });
    const scores = await published('epss-2024-10.csv.gz');
    expect(await world.import(scores, { source: 'epss' })).toMatchObject({ kind: 'epss', read: 2_634 });
    expect(await exploitsOf(world.database.read, 'CVE-2021-44228')).toMatchObject({
      exploited: { addedOn: '2021-12-10', ransomware: true },
    });
    const worst = await world.database.read
      .selectFrom('exploit_scores')
      .select(['cve', 'score'])
      .orderBy('score', 'desc')
      .orderBy('cve')
      .limit(1)
      .execute();
    expect(worst).toEqual([{ cve: 'CVE-2018-7600', score: 0.97569 }]);
  });
});

describeEngines('a bundle', (engines) => {
  test('brings all of one site to another, with its ages and what it could not read', async () => {
    await using home = await inventoryWorld(engines);
    await home.import([osv('A-1'), osv('A-2', { withdrawn: '2026-01-01T00:00:00Z' })], { source: 'a' });
    await home.import(`${people('B-1')}`, { source: 'b' });
    await home.import(text('B-2').replace('"SEMVER"', '7'), { source: 'b', file: 'b.json' });
    await home.import('cve,epss,percentile\nCVE-2020-1111,0.5,0.9\n', { source: 'epss' });
    const bundle = await bytesOf(exportBundle(home));

    await using away = await inventoryWorld(engines);
    away.clock.advance(1_000_000);
    await withPackages(away, 'lodash@4.17.20');
    expect(await away.import(bundle)).toMatchObject({ kind: 'bundle', read: 5, brokenCount: 1 });
    expect(await standing(away)).toEqual([
      'lodash@4.17.20 affected A-1 unknown',
      'lodash@4.17.20 affected B-1 unknown',
      'lodash@4.17.20 unknown B-2 unknown',
    ]);
    expect(await feedStatusList(away.database.read)).toEqual(await feedStatusList(home.database.read));
    expect((await exploitsOf(away.database.read, 'CVE-2020-1111')).score?.score).toBeCloseTo(0.5);
    expect(await away.import(bundle)).toMatchObject({ changed: 1, findings: { new: 0, ended: 0 } });
  });

  test('that was cut off is refused, however it was cut', async () => {
    await using world = await inventoryWorld(engines);
    const whole =
      '{"bundle":"io.lazaret.advisories.v1","exportedAt":1}\n{"source":"a","kind":"osv","importedAt":1}\n';
    const end = '{"end":true,"lines":4}';
    expect(await world.import(`${whole} ${text('A-1')}\n${end}`)).toMatchObject({ changed: 1 });
    await expect(world.import(`${whole} ${text('A-1')}\n`)).rejects.toThrow('cut off after line 3');
    await expect(world.import(`${whole}${end}`)).rejects.toThrow('has 3 lines and not 4');
    const damaged = zstdCompressSync(whole + end).subarray(0, -3);
    expect(await world.import(damaged)).toMatchObject({ changed: 0, brokenCount: 1 });
  });
});
