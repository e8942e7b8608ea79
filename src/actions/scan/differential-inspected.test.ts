/** Random criteria over images that were really inspected and matched: they say what a plain walk over the facts says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, combinedAnswer } from '../../../test/support/combined-answer.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type {
  AdvisoryCriteria,
  Criteria,
  LicenseCriteria,
  MatchPlace,
  Severity,
} from '../../criteria/criteria.ts';
import type { LeafCriteria } from '../../records/criteria/compile.ts';
import { evaluate, verdictOfManifest } from './evaluate.ts';
import { imageMeets } from './image-meets.ts';
import { universeOfManifests } from './universe.ts';

const seed = 6;
const severities: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
const exploitedCve = 'CVE-2026-1001';
const advisories: readonly KnownAdvisory[] = [
  {
    ...{ id: 'GHSA-1', aliases: [exploitedCve], of: 'lodash', severity: 'critical' },
    ...{ introduced: '0', fixed: '2.0.0', published: '2026-01-15T00:00:00Z' },
  },
  {
    ...{ id: 'GHSA-2', aliases: [], of: 'express', severity: 'medium' },
    ...{ introduced: '2.0.0', fixed: '3.0.0' },
  },
  { id: 'GHSA-3', aliases: [], of: 'lodash', severity: undefined, introduced: '3.0.0' },
  { id: 'MAL-4', aliases: [], of: 'left-pad', severity: undefined, introduced: '1.0.0' },
];

interface KnownAdvisory {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly of: string;
  readonly severity: Severity | undefined;
  readonly introduced: string;
  readonly fixed?: string;
  readonly published?: string;
}

/**
 * As a manifest of npm states it: the licences that are named, and whether those that are allowed suffice. Each version of
 * a package has one of them, or none: a package version has one licence, whoever brings it.
 */
const licences: readonly (KnownLicence | undefined)[] = [
  undefined,
  { text: 'MIT', named: ['MIT'], suffices: (allowed) => allowed.includes('MIT') },
  { text: 'ISC', named: ['ISC'], suffices: (allowed) => allowed.includes('ISC') },
  { text: 'MIT OR ISC', named: ['MIT', 'ISC'], suffices: (allowed) => allowed.length > 0 },
  { text: 'MIT AND ISC', named: ['MIT', 'ISC'], suffices: (allowed) => allowed.length > 1 },
];

interface KnownLicence {
  readonly text: string;
  readonly named: readonly string[];
  /** Of MIT and ISC. */
  readonly suffices: (allowed: readonly string[]) => boolean;
}

interface KnownPackage {
  readonly name: string;
  readonly version: string;
}

interface KnownLayer {
  readonly packages: readonly KnownPackage[];
  /** Packages of the layers below. */
  readonly removed: readonly string[];
  readonly secret: 'none' | 'written' | 'removed';
}

interface KnownImage {
  readonly layers: readonly KnownLayer[];
  readonly user: string;
}

const names = ['lodash', 'express', 'left-pad'];
const versions = ['1.0.0', '2.0.0', '3.1.4'];

function licenceOf({ name, version }: KnownPackage): KnownLicence | undefined {
  return licences[(names.indexOf(name) + versions.indexOf(version)) % licences.length];
}

const layer: fc.Arbitrary<KnownLayer> = fc
  .record({
    packages: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...names),
        version: fc.constantFrom(...versions),
      }),
      { maxLength: 2, selector: ({ name }) => name },
    ),
    removed: fc.subarray(names, { maxLength: 1 }),
    secret: fc.constantFrom<KnownLayer['secret'][]>('none', 'none', 'written', 'removed'),
  })
  .map((made) => ({ ...made, removed: made.removed.filter((gone) => !hasName(made.packages, gone)) }));
const image: fc.Arbitrary<KnownImage> = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
  user: fc.constantFrom('', '0', 'web:web'),
});

const place = fc.constantFrom({}, { in: 'layer' as const }, { in: 'image' as const });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const leaf: fc.Arbitrary<Criteria> = fc.oneof(
  fc
    .record({
      id: maybe(fc.constantFrom('GHSA-1', exploitedCve, 'GHSA-3', 'X-1')),
      severity: maybe(fc.constantFrom(...severities)),
      fixed: maybe(fc.boolean()),
      publishedSince: maybe(fc.constantFrom('2025-01-01', '2026-02-01')),
      malicious: maybe(fc.boolean()),
      exploited: maybe(fc.boolean()),
      in: maybe(fc.constantFrom('layer' as const, 'image' as const)),
    })
    .map((asked) => ({ advisory: given(asked) })),
  fc
    .record({ kind: fc.constantFrom('*', 'aws-access-key', 'aws-*', 'github-token'), place })
    .map(({ kind, place }) => ({ secret: { kind, ...place } })),
  fc
    .record({ some: fc.subarray(['MIT', 'ISC', 'GPL-3.0-only'], { minLength: 1 }), place })
    .map(({ some, place }) => ({ license: { anyOf: some, ...place } })),
  fc
    .record({ some: fc.subarray(['MIT', 'ISC'], { minLength: 1 }), place })
    .map(({ some, place }) => ({ license: { notSatisfiedBy: some, ...place } })),
  fc.constantFrom('root', '0', 'web', 'we').map((user) => ({ config: { user } })),
);
const { criteria } = fc.letrec<{ criteria: Criteria }>((tie) => ({
  criteria: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: leaf, weight: 3 },
    fc.record({ all: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('criteria') }),
  ),
}));

describeEngines('criteria over images that were inspected', (engines) => {
  test('answer as a plain walk over the same facts does, for one image and over all', async () => {
    await using world = await inventoryWorld(engines);
    const [known = []] = fc.sample(fc.array(image, { minLength: 14, maxLength: 14 }), { numRuns: 1, seed });
    const ids: number[] = [];
    for (const each of known) ids.push(await pushed(world, each));
    await world.drain();
    await world.import(`${advisories.map(documentOf).join('\n')}\n`, { file: 'all.jsonl' });
    expect(await world.import(catalogue, { source: 'kev' })).toMatchObject({ kind: 'kev', read: 1 });
    await fc.assert(
      fc.asyncProperty(criteria, async (asked) => {
        const expected = known.map((each) => combinedAnswer(asked, (leaf) => verdictOf(each, leaf)));
        const universe = await universeOfManifests(world.database, ids);
        const everywhere = await evaluate(world.database, asked, { universe, scope: undefined });
        expect(ids.map((id) => verdictOfManifest(everywhere, id))).toEqual(expected);
        const one = ids.length - 1;
        const { verdict } = await imageMeets(world.database, ids[one] ?? 0, asked);
        expect(verdict).toBe(expected[one]);
      }),
      { seed, numRuns: 150 },
    );
  });
});

/** Fields that are undefined are left out. */
function given(asked: Record<string, unknown>): AdvisoryCriteria['advisory'] {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

function hasName(packages: readonly KnownPackage[], name: string): boolean {
  return packages.some((one) => one.name === name);
}

async function pushed(world: InventoryWorld, { layers, user }: KnownImage): Promise<number> {
  const folder = 'app/node_modules';
  const contents = layers.map(({ packages, removed, secret }, depth) =>
    buildLayer([
      { path: 'is', content: `layer ${depth}` },
      ...removed.map((name) => ({ path: `${folder}/.wh.${name}`, content: '' })),
      ...packages.map(({ name, version }) => ({
        path: `${folder}/${name}/package.json`,
        content: JSON.stringify({ name, version, license: licenceOf({ name, version })?.text }),
      })),
      ...(secret === 'written' ? [{ path: 'etc/keys', content: 'key = AKIAQZ7KXWPL3MVN2RTD\n' }] : []),
      ...(secret === 'removed' ? [{ path: 'etc/.wh.keys', content: '' }] : []),
    ]),
  );
  return world.push({ layers: await Promise.all(contents), config: { User: user } });
}

const scores: Readonly<Partial<Record<Severity, string>>> = {
  critical: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  medium: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
};

function documentOf({ id, aliases, of, severity, introduced, fixed, published }: KnownAdvisory): string {
  const events = [{ introduced }, ...(fixed === undefined ? [] : [{ fixed }])];
  return JSON.stringify({
    ...{ id, aliases, modified: '2026-01-01T00:00:00Z', published },
    ...(severity === undefined ? {} : { severity: [{ type: 'CVSS_V3', score: scores[severity] }] }),
    affected: [{ package: { ecosystem: 'npm', name: of }, ranges: [{ type: 'SEMVER', events }] }],
  });
}

const catalogue = {
  catalogVersion: '2026.01.02',
  vulnerabilities: [
    {
      ...{ cveID: exploitedCve, vulnerabilityName: 'lodash', dateAdded: '2026-01-02', dueDate: '2026-01-23' },
      knownRansomwareCampaignUse: 'Unknown',
    },
  ],
};

function verdictOf(known: KnownImage, asked: LeafCriteria): Answer {
  if ('advisory' in asked) return byAdvisory(known, asked.advisory);
  if ('license' in asked) return byLicence(known, asked.license);
  if ('secret' in asked) return bySecret(known, asked.secret) ? 'match' : 'noMatch';
  if ('config' in asked) return isUser(known, asked.config.user) ? 'match' : 'noMatch';
  throw new Error('nothing else is asked here');
}

function packagesOf({ layers }: KnownImage, where: MatchPlace = 'image'): readonly KnownPackage[] {
  if (where === 'layer') return layers.flatMap(({ packages }) => packages);
  return layers.reduce<readonly KnownPackage[]>((below, { packages, removed }) => {
    const kept = below.filter(({ name }) => !removed.includes(name) && !hasName(packages, name));
    return [...kept, ...packages];
  }, []);
}

function byAdvisory(
  known: KnownImage,
  { severity, publishedSince: since, in: where, ...asked }: AdvisoryCriteria['advisory'],
): Answer {
  const isTold = advisories.some(({ id, aliases }) => [id, ...aliases].some((name) => name === asked.id));
  if (asked.id !== undefined && !isTold) return 'unknown';
  const found = packagesOf(known, where).flatMap((one) => advisories.filter((each) => applies(each, one)));
  const meant = found.filter((each) => isMeant(each, asked));
  const least = severity === undefined ? -1 : severities.indexOf(severity);
  const answers = meant.map(({ severity: rated, published }) =>
    combinedAnswer({ all: [severe, recent] }, (leaf) => {
      if (leaf === recent) return isSince(published, since);
      if (severity === undefined) return 'match';
      if (rated === undefined) return 'unknown';
      return severities.indexOf(rated) >= least ? 'match' : 'noMatch';
    }),
  );
  return (['match', 'unknown'] as const).find((one) => answers.includes(one)) ?? 'noMatch';
}

const severe: LeafCriteria = { advisory: { severity: 'low' } };
const recent: LeafCriteria = { advisory: { publishedSince: '2026-01-01' } };

/** Times here sort as text. */
function isSince(published: string | undefined, since: string | undefined): Answer {
  if (since === undefined) return 'match';
  if (published === undefined) return 'unknown';
  return published >= since ? 'match' : 'noMatch';
}

/** Versions here sort as text. */
function applies({ of, introduced, fixed }: KnownAdvisory, { name, version }: KnownPackage): boolean {
  return name === of && version >= introduced && (fixed === undefined || version < fixed);
}

function isMeant({ id, aliases, fixed }: KnownAdvisory, asked: AdvisoryCriteria['advisory']): boolean {
  return (
    (asked.id === undefined || asked.id === id || aliases.includes(asked.id)) &&
    (asked.fixed === undefined || asked.fixed === (fixed !== undefined)) &&
    (asked.malicious === undefined || asked.malicious === id.startsWith('MAL-')) &&
    (asked.exploited === undefined || asked.exploited === aliases.includes(exploitedCve))
  );
}

function byLicence(
  known: KnownImage,
  { anyOf, notSatisfiedBy, in: where }: LicenseCriteria['license'],
): Answer {
  const stated = packagesOf(known, where).map(licenceOf);
  const isFound = (licence: KnownLicence | undefined) =>
    licence !== undefined &&
    (anyOf ? licence.named.some((name) => anyOf.includes(name)) : !licence.suffices(notSatisfiedBy ?? []));
  if (stated.some(isFound)) return 'match';
  return stated.includes(undefined) ? 'unknown' : 'noMatch';
}

function bySecret({ layers }: KnownImage, asked: { kind?: string; in?: MatchPlace }): boolean {
  if (asked.kind === 'github-token') return false;
  const written = layers.map(({ secret }) => secret);
  if (asked.in !== 'image') return written.includes('written');
  return written.findLast((secret) => secret !== 'none') === 'written';
}

/** None is root. */
function isUser({ user }: KnownImage, asked = ''): boolean {
  const [name] = user.split(':');
  if (asked === 'root' || asked === '0') return name === '' || name === '0';
  return name === asked;
}
