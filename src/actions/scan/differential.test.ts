/** Random criteria over a random inventory: the SQL and the sets say what a plain walk over the same facts says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, combinedAnswer } from '../../../test/support/combined-answer.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { type FoundInLayer, openHouse } from '../../../test/support/house.ts';
import { liveScan } from '../../../test/support/live-scan.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type {
  Criteria,
  FileCriteria,
  ImageCriteria,
  MalwareCriteria,
  PackageCriteria,
} from '../../criteria/criteria.ts';
import { globMatcher } from '../../lib/globs.ts';
import type { LeafCriteria } from '../../records/criteria/compile.ts';
import type { ScanScope } from '../../records/scans/images.ts';
import { npmScheme } from '../../versions/semver.ts';
import { parseVersionRange } from '../../versions/vers.ts';
import type { ScanResult } from './results.ts';
import { scan } from './scan.ts';

const seed = 6;
const names = ['lodash', 'lodash.merge', 'express'];
const versions = ['1.0.0', '2.0.0-rc.1', '2.0.0', '3.1.4'];
const paths = ['etc/key', 'etc/ssl/key', 'usr/bin/su', 'app/main.js', 'etc'];
const repositories = ['acme/shop', 'acme/portal', 'globex/shop'];

interface KnownImage {
  /** Those that have it. */
  readonly repositories: readonly string[];
  readonly tag: string;
  readonly state: 'done' | 'unknown';
  /** From the lowest up. */
  readonly layers: readonly Required<FoundInLayer>[];
}

const layer = fc.record({
  packages: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...names),
      version: fc.constantFrom(...versions),
      hidden: fc.boolean(),
    }),
    { maxLength: 3, selector: ({ name, version }) => `${name}@${version}` },
  ),
  files: fc.uniqueArray(
    fc.record({
      path: fc.constantFrom(...paths),
      mode: fc.constantFrom(0o644, 0o4755),
      kind: fc.constantFrom('file' as const, 'file' as const, 'whiteout' as const),
    }),
    { maxLength: 4, selector: ({ path }) => path },
  ),
  malware: fc.option(
    fc.array(
      fc.record({ path: fc.constantFrom(...paths), signature: fc.constantFrom('Unix.Miner-1', 'Win.Worm') }),
      { maxLength: 2 },
    ),
    { nil: undefined, freq: 6 },
  ),
});
const image: fc.Arbitrary<KnownImage> = fc.record({
  repositories: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...repositories).map((one) => [one]) },
    fc.subarray(repositories, { minLength: 2 }),
  ),
  tag: fc.constantFrom('v1', 'v2', 'latest'),
  state: fc.constantFrom('done' as const, 'done' as const, 'unknown' as const),
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
});

const place = fc.constantFrom({}, { in: 'layer' as const }, { in: 'image' as const });
const leaf: fc.Arbitrary<Criteria> = fc.oneof(
  fc
    .record({ name: fc.constantFrom(...names), range: fc.constantFrom('<2', '>=2.0.0', '2.0.0', '*'), place })
    .map(({ name, range, place }) => ({ package: { purl: `pkg:npm/${name}`, versions: range, ...place } })),
  fc
    .record({ name: fc.constantFrom('lod*', '*', '*press', 'x'), place })
    .map(({ name, place }) => ({ package: { type: 'npm', name, ...place } })),
  fc
    .record({ path: fc.constantFrom('etc/*', 'etc/**', '**/key', 'usr/bin/su', '**'), place })
    .map(({ path, place }) => ({ file: { path, ...place } })),
  place.map((place) => ({ file: { setuid: true, ...place } })),
  fc
    .record({
      signature: fc.constantFrom('*', 'Unix.*', 'Win.Worm', 'Mac.*'),
      path: fc.constantFrom({}, { path: 'etc/**' }),
      place,
    })
    .map(({ signature, path, place }) => ({ malware: { signature, ...path, ...place } })),
  fc.constantFrom(...repositories, 'acme/*', '*/shop').map((repository) => ({ image: { repository } })),
  fc.constantFrom('v*', 'latest.*', 'v2.*').map((tag) => ({ image: { tag } })),
  fc.constant({ advisory: {} }),
);
const { criteria } = fc.letrec<{ criteria: Criteria }>((tie) => ({
  criteria: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('criteria') }),
  ),
}));

type Over = 'all' | 'account' | 'glob' | 'image';
const over = fc.constantFrom<Over[]>('all', 'account', 'glob', 'image');

describeEngines('a scan', (engines) => {
  test('answers as a plain walk over the same facts does', async () => {
    const house = await openHouse(engines);
    const [known = []] = fc.sample(fc.array(image, { minLength: 12, maxLength: 12 }), { numRuns: 1, seed });
    const digests: string[] = [];
    for (const [at, { repositories, layers, state }] of known.entries()) {
      const contents = await Promise.all(
        layers.map((_, depth) => buildLayer([{ path: 'is', content: `layer ${depth} of image ${at}` }])),
      );
      const built = buildImage({ layers: contents });
      for (const repository of repositories) await house.push(`${repository}:image-${at}`, built);
      await house.inspected(built, layers, state);
      digests.push(built.manifest.digest);
    }
    await tagAll(house, known, digests);
    const places = known.flatMap((one, at) =>
      one.repositories.map((repository) => ({ one, repository, digest: digests[at] ?? '' })),
    );
    const scopes: Record<Over, { scope: ScanScope; has: (place: (typeof places)[number]) => boolean }> = {
      all: { scope: {}, has: () => true },
      account: { scope: { accounts: ['acme'] }, has: ({ repository }) => repository.startsWith('acme/') },
      glob: { scope: { repositoryGlob: '*/shop' }, has: ({ repository }) => repository.endsWith('/shop') },
      image: { scope: { image: ofImage(places[0]) }, has: (place) => place === places[0] },
    };
    await fc.assert(
      fc.asyncProperty(criteria, over, async (asked, which) => {
        const { scope, has } = scopes[which];
        const answer = await scan(house.deps, { criteria: asked, scope, requestedBy: 'jo' });
        const said = answer.images.map(
          ({ repository, digest, verdict }) => `${repository}@${digest} ${verdict}`,
        );
        const verdicts = places
          .filter(has)
          .map((place) => ({ ...place, verdict: combinedAnswer(asked, (leaf) => expected(place, leaf)) }));
        const listed = verdicts.filter(({ verdict }) => verdict !== 'noMatch');
        expect(said.toSorted()).toEqual(
          listed.map(({ repository, digest, verdict }) => `${repository}@${digest} ${verdict}`).toSorted(),
        );
        expect(answer.counts.noMatch).toBe(verdicts.length - listed.length);
        // As it is found it is the same, in another order.
        const live = await liveScan(house.deps, { criteria: asked, scope, requestedBy: 'jo', pageSize: 2 });
        expect(live.images.map(asText).toSorted()).toEqual(answer.images.map(asText).toSorted());
        expect(live.answer.counts).toEqual(answer.counts);
        for (const early of live.early) expect(early).toBeLessThanOrEqual(answer.counts.match);
      }),
      { seed, numRuns: 120 },
    );
  });
});

/** Reasons have no order. */
function asText({ evidence, ...image }: ScanResult): string {
  return JSON.stringify([image, evidence.map((one) => JSON.stringify(one)).toSorted()]);
}

function ofImage(place: { repository: string; digest: string } | undefined) {
  return { repository: place?.repository ?? '', digest: place?.digest ?? '' };
}

/** Each image has the tag `image-N`, and the last of those that want another gets it. */
async function tagAll(
  house: Awaited<ReturnType<typeof openHouse>>,
  known: readonly KnownImage[],
  digests: readonly string[],
): Promise<void> {
  await house.database.transact(async ({ db, nowMs }) => {
    await db.deleteFrom('tags').execute();
    for (const [at, { repositories, tag }] of known.entries()) {
      const having = await db
        .selectFrom('repositories')
        .select('id')
        .where('name', 'in', repositories)
        .execute();
      const manifest = await db
        .selectFrom('manifests')
        .select('id')
        .where('digest', '=', digests[at] ?? '')
        .executeTakeFirstOrThrow();
      const row = { name: `${tag}.${at}`, manifest_id: manifest.id, updated_at: nowMs, updated_by: 'jo' };
      await db
        .insertInto('tags')
        .values(having.map(({ id }) => ({ ...row, repository_id: id })))
        .execute();
    }
  });
}

/** An image as a repository has it. */
interface Place {
  readonly one: KnownImage;
  readonly repository: string;
}

function expected(place: Place, asked: LeafCriteria): Answer {
  const { one: known } = place;
  if ('image' in asked) return imageIs(place, asked.image) ? 'match' : 'noMatch';
  if ('advisory' in asked) return 'unknown'; // none was loaded
  if ('malware' in asked) return hasMalware(known, asked.malware);
  const found =
    'package' in asked ? hasPackage(known, asked.package) : 'file' in asked && hasFile(known, asked.file);
  if (found) return 'match';
  return known.state === 'done' ? 'noMatch' : 'unknown';
}

function imageIs({ one, repository }: Place, asked: ImageCriteria['image']): boolean {
  if (asked.repository !== undefined) return globMatcher(asked.repository)(repository);
  return asked.tag !== undefined && isTagged(one, asked.tag);
}

function isTagged({ tag }: KnownImage, glob: string): boolean {
  return globMatcher(glob)(`${tag}.0`);
}

function hasPackage({ layers }: KnownImage, asked: PackageCriteria['package']): boolean {
  const range = asked.versions === undefined ? undefined : parseVersionRange(asked.versions, npmScheme);
  const isNamed =
    'purl' in asked ? (name: string) => asked.purl === `pkg:npm/${name}` : globMatcher(asked.name);
  return layers
    .flatMap(({ packages }) => packages)
    .filter(({ hidden }) => asked.in === 'layer' || hidden !== true)
    .some(({ name, version }) => isNamed(name) && (range === undefined || range.matches(version)));
}

function hasFile(
  { layers }: KnownImage,
  { path, setuid, in: place = 'layer' }: FileCriteria['file'],
): boolean {
  const matches = path === undefined ? () => true : globMatcher(path);
  return layers.some(({ files }, depth) =>
    files
      .filter(({ kind }) => kind === 'file')
      .filter((file) => matches(file.path) && (setuid === undefined || ((file.mode ?? 0) & 0o4000) !== 0))
      .some((file) => place === 'layer' || !isHidden(file.path, layers.slice(depth + 1))),
  );
}

/** What nobody looked for may be there. */
function hasMalware(
  { layers, state }: KnownImage,
  { signature, path, in: place = 'layer' }: MalwareCriteria['malware'],
): Answer {
  const isMeant = globMatcher(signature);
  const isThere = path === undefined ? () => true : globMatcher(path);
  const found = layers.some(({ malware = [] }, depth) =>
    malware
      .filter((one) => isMeant(one.signature) && isThere(one.path))
      .some((one) => place === 'layer' || !isHidden(one.path, layers.slice(depth + 1))),
  );
  if (found) return 'match';
  return state === 'done' && layers.every(({ malware }) => malware !== undefined) ? 'noMatch' : 'unknown';
}

function isHidden(path: string, above: readonly Required<FoundInLayer>[]): boolean {
  return above
    .flatMap(({ files }) => files)
    .some((upper) => upper.path === path || (upper.kind === 'whiteout' && path.startsWith(`${upper.path}/`)));
}
