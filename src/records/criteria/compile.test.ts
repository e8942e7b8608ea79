import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { exploitedReplace } from '../advisories/exploits.ts';
import type { Database, Tx } from '../db/database.ts';
import { exceptionsAdd, type NewException } from '../exceptions/exceptions.ts';
import { compileLeaf, type LeafCriteria } from './compile.ts';
import { firstQuery } from './first-hits.ts';
import type { Leaf } from './leaf.ts';

const leaves: readonly (readonly [string, LeafCriteria])[] = [
  ['package-in-image', { package: { purl: 'pkg:npm/lodash' } }],
  ['package-by-name', { package: { type: 'npm', name: 'lod*', versions: '<5' } }],
  ['package-in-layer', { package: { purl: 'pkg:npm/lodash', in: 'layer' } }],
  ['advisory', { advisory: { id: 'CVE-2021-23337', fixed: true } }],
  ['advisory-severity', { advisory: { severity: 'high', in: 'layer' } }],
  ['file', { file: { path: 'etc/passwd', setuid: true } }],
  [
    'config',
    { config: { user: 'root', port: '80/tcp', env: 'TOKEN', label: { name: 'a.b', value: "it's" } } },
  ],
  [
    'image',
    { image: { repository: 'acme/**', tag: 'v*', label: { name: 'a' }, platform: 'linux', pushedBy: 'jo' } },
  ],
  ['image-dates', { image: { olderThan: '90d', notPulledFor: '30d', pushedAfter: '2026-11-01' } }],
  ['image-source', { image: { source: 'https://github.com/acme/*', revision: 'abc' } }],
  ['image-base', { image: { base: `sha256:${'ab'.repeat(32)}` } }],
  ['advisory-malicious', { advisory: { malicious: true, publishedSince: '2026-11-01' } }],
  ['advisory-exploited', { advisory: { exploited: true, severity: 'critical', fixed: true } }],
  ['file-large', { file: { sizeMin: '20MiB' } }],
  ['license', { license: { anyOf: ['GPL-3.0-only'] } }],
  ['license-in-layer', { license: { notSatisfiedBy: ['MIT'], in: 'layer' } }],
  ['secret', { secret: { kind: 'aws-*' } }],
  ['secret-in-image', { secret: { path: 'root/**', fingerprint: `1:${'ab'.repeat(32)}`, in: 'image' } }],
  ['malware', { malware: { signature: '*' } }],
  ['malware-in-image', { malware: { signature: 'Unix.Trojan.Mirai-1', path: 'opt/tool', in: 'image' } }],
  ['file-in-archive', { file: { path: 'opt/**/JndiLookup.class' } }],
  ['file-in-image', { file: { sha256: 'ab'.repeat(32), in: 'image' } }],
];

describeEngines('criteria', (world) => {
  it.each(leaves)('compile to the SQL that is checked in: %s', async (name, criteria) => {
    const database = await world.open();
    await database.transact(async (tx) => {
      await packageOfLodash(tx);
      const exploited = { addedOn: '2021-12-10', dueOn: null, ransomware: false, name: 'Log4Shell' };
      await exploitedReplace(tx, [{ cve: 'CVE-2021-44228', ...exploited }]);
    });
    await asCheckedIn(database, name, await compileLeaf(criteria, { database, scope: [7] }));
  });

  it('compile to other SQL where a finding is under an exception', async () => {
    const database = await world.open();
    await database.transact(async (tx) => {
      await advisoryOfLodash(tx);
      await exceptionsAdd(tx, [exception], 'sec');
    });
    const criteria: LeafCriteria = { advisory: { severity: 'high' } };
    await asCheckedIn(database, 'advisory-excepted', await compileLeaf(criteria, { database, scope: [7] }));
  });
});

const exception: NewException = {
  ...{ state: 'accepted', account: null, repositoryGlob: null, imageDigest: null, purl: null },
  ...{ advisory: 'A-1', aliases: [], status: 'fixed', justification: null, statement: null },
  ...{ author: 'sec', source: null, expiresAt: null },
};

async function advisoryOfLodash(tx: Tx): Promise<void> {
  const { id } = await packageOfLodash(tx);
  const document = { id: 'A-1', modified: '2026-01-01T00:00:00Z', affected: [] };
  const rest = { flaw: 'A-1', source: 'test', modified_at: 0, published_at: null, withdrawn_at: null };
  const severity = { severity: 'high', severity_score: null, severity_from: null, summary: null } as const;
  const read = { body: JSON.stringify(document), imported_at: 0, broken: null, broken_at: null };
  const advisory = await tx.db
    .insertInto('advisories')
    .values({ advisory_id: 'A-1', ...rest, ...severity, ...read })
    .returning('id')
    .executeTakeFirstOrThrow();
  const finding = {
    package_id: id,
    advisory_id: advisory.id,
    verdict: 'affected',
    severity: 'high',
  } as const;
  await tx.db
    .insertInto('findings')
    .values({ ...finding, fixed_version: null, since: 0, until: null })
    .execute();
}

function packageOfLodash(tx: Tx): Promise<{ id: number }> {
  const row = { purl: 'pkg:npm/lodash@4.17.20', purl_type: 'npm', ecosystem: 'npm', name: 'lodash' };
  const rest = { version: '4.17.20', source_name: null, source_version: null, license: null, spdx: null };
  return tx.db
    .insertInto('packages')
    .values({ ...row, ...rest, first_seen_at: 0 })
    .returning('id')
    .executeTakeFirstOrThrow();
}

async function asCheckedIn(database: Database, name: string, leaf: Leaf): Promise<void> {
  const { matches, unknowns, evidence, excepted } = leaf;
  const first = leaf.asFound ? [firstQuery(leaf, 10)] : [];
  const queries = [
    matches,
    ...first,
    ...unknowns.map(({ images }) => images),
    ...(excepted ? [excepted] : []),
  ];
  for (const query of [...queries, evidence([7], 10)])
    expect(await database.search<unknown>(query)).toEqual([]);
  const text = [...queries, evidence([7], 10)].map((query) => layout(query.sql)).join('\n\n');
  await expect(`${text}\n`).toMatchFileSnapshot(`golden/${name}.${database.engine}.sql`);
}

/** One clause a line, so that a change shows where it is. */
function layout(sql: string): string {
  return sql
    .replace(/\s+/g, ' ')
    .replace(/ (from|join|where|and|or|limit) /g, '\n$1 ')
    .trim();
}
