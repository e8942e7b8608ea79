import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { exploitedReplace } from '../advisories/exploits.ts';
import { compileLeaf, type LeafCriteria } from './compile.ts';

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
  ['file-in-archive', { file: { path: 'opt/**/JndiLookup.class' } }],
  ['file-in-image', { file: { sha256: 'ab'.repeat(32), in: 'image' } }],
];

describeEngines('criteria', (world) => {
  it.each(leaves)('compile to the SQL that is checked in: %s', async (name, criteria) => {
    const database = await world.open();
    await database.transact(async (tx) => {
      const row = { purl: 'pkg:npm/lodash@4.17.20', purl_type: 'npm', ecosystem: 'npm', name: 'lodash' };
      const rest = { version: '4.17.20', source_name: null, source_version: null, license: null, spdx: null };
      await tx.db
        .insertInto('packages')
        .values({ ...row, ...rest, first_seen_at: 0 })
        .execute();
      const exploited = { addedOn: '2021-12-10', dueOn: null, ransomware: false, name: 'Log4Shell' };
      await exploitedReplace(tx, [{ cve: 'CVE-2021-44228', ...exploited }]);
    });
    const leaf = await compileLeaf(criteria, { database, scope: [7] });
    const queries = [leaf.matches, ...leaf.unknowns.map(({ images }) => images), leaf.evidence([7], 10)];
    for (const query of queries) expect(await database.search<unknown>(query)).toEqual([]);
    const text = queries.map((query) => layout(query.sql)).join('\n\n');
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${name}.${database.engine}.sql`);
  });
});

/** One clause a line, so that a change shows where it is. */
function layout(sql: string): string {
  return sql
    .replace(/\s+/g, ' ')
    .replace(/ (from|join|where|and|or|limit) /g, '\n$1 ')
    .trim();
}
