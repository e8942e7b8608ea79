/** Random exceptions over a random inventory: the SQL says what a plain walk over the same facts says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { except, importAdvisories, npmAdvisory } from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { liveScan } from '../../../test/support/live-scan.ts';
import {
  buildImage,
  buildLayer,
  descriptor,
  type Image,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import { globMatcher } from '../../lib/globs.ts';
import { exceptionsDecide } from '../../records/exceptions/exceptions.ts';
import { exceptionList } from '../../records/exceptions/lists.ts';
import type { ScanResult } from './results.ts';
import { scan } from './scan.ts';

const lodash = { name: 'lodash', version: '4.17.20' };
const anyAdvisory: Criteria = { advisory: {} };

async function pushed(
  house: House,
  reference: string,
  packages: readonly { name: string; version: string }[],
) {
  const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: reference }])] });
  await house.push(reference, image);
  await house.inspected(image, [{ packages }]);
  return image;
}

const placeOf = ({ repository, digest, verdict }: ScanResult) => `${repository}@${digest} ${verdict}`;

const answered = async (house: House, criteria: Criteria = anyAdvisory) => {
  const answer = await scan(house.deps, { criteria, scope: {}, requestedBy: 'jo' });
  const live = await liveScan(house.deps, { criteria, scope: {}, requestedBy: 'jo' });
  expect(live.images.map(placeOf).toSorted()).toEqual(answer.images.map(placeOf).toSorted());
  const matching = answer.images.filter(({ verdict }) => verdict === 'match');
  return {
    matches: matching.map(({ repository }) => repository).toSorted(),
    evidence: matching.flatMap(({ evidence }) => evidence.map(({ advisory }) => advisory)).toSorted(),
    excepted: answer.covers.excepted,
    unknown: answer.counts.unknown,
  };
};

describeEngines('an exception', (world) => {
  it('of everybody takes its findings out of an answer, which says so; an alias of the advisory will do', async () => {
    const house = await openHouse(world);
    await pushed(house, 'acme/shop:1', [lodash]);
    await importAdvisories(house, npmAdvisory('GHSA-1', 'lodash', { aliases: ['CVE-2026-1'] }));
    expect(await answered(house)).toMatchObject({ matches: ['acme/shop'], excepted: { images: 0, by: [] } });
    await except(house, 'CVE-2026-1');
    expect(await answered(house)).toEqual({
      matches: [],
      evidence: [],
      unknown: 0,
      excepted: {
        images: 1,
        by: [
          {
            ...{ name: 'E-1', account: null, advisory: 'CVE-2026-1', status: 'not_affected', images: 1 },
            ...{ justification: 'component_not_present', author: 'sec', expiresAt: null },
          },
        ],
      },
    });
    // What is not shown by an advisory matches by its absence.
    expect(await answered(house, { not: anyAdvisory })).toMatchObject({ matches: ['acme/shop'] });
  });

  it('does not reach what passes on other flaws too', async () => {
    const house = await openHouse(world);
    await pushed(house, 'acme/shop:1', [lodash]);
    await importAdvisories(
      house,
      npmAdvisory('ALSA-1', 'lodash', { upstream: ['CVE-2026-1', 'CVE-2026-2'] }),
    );
    await except(house, 'CVE-2026-1');
    expect(await answered(house)).toMatchObject({ matches: ['acme/shop'] });
    await except(house, 'ALSA-1');
    expect(await answered(house)).toMatchObject({ matches: [] });
  });

  it('of an account is for its own repositories: the same image matches in another one’s', async () => {
    const house = await openHouse(world);
    const image = await pushed(house, 'acme/shop:1', [lodash]);
    await house.push('globex/shop:1', image);
    await importAdvisories(house, npmAdvisory('A-1', 'lodash'), npmAdvisory('A-2', 'lodash'));
    await except(house, 'A-1', { account: 'acme' });
    expect(await answered(house)).toMatchObject({
      matches: ['acme/shop', 'globex/shop'],
      evidence: ['A-1', 'A-2', 'A-2'],
      excepted: { images: 0, by: [{ images: 1 }] },
    });
    await except(house, 'A-2', { account: 'acme', imageDigest: image.manifest.digest });
    expect(await answered(house)).toMatchObject({ matches: ['globex/shop'], evidence: ['A-1', 'A-2'] });
  });

  it('has no effect after its expiry, whether or not its state has followed, and none withdrawn', async () => {
    const house = await openHouse(world);
    await pushed(house, 'acme/shop:1', [lodash]);
    await importAdvisories(house, npmAdvisory('A-1', 'lodash'));
    await except(house, 'A-1', { expiresAt: house.clock.wallMs() + 1_000 });
    expect((await answered(house)).matches).toEqual([]);
    house.clock.advance(1_000);
    expect((await answered(house)).matches).toEqual(['acme/shop']);
    await except(house, 'A-1');
    expect((await answered(house)).matches).toEqual([]);
    await house.database.transact(async (tx) => {
      const all = await exceptionList(tx.db, { states: ['accepted'], limit: 10 });
      await exceptionsDecide(tx, all, { state: 'withdrawn', actor: 'sec', because: null });
    });
    expect((await answered(house)).matches).toEqual(['acme/shop']);
  });

  it('covers what nobody can tell, too', async () => {
    const house = await openHouse(world);
    await pushed(house, 'acme/shop:1', [{ name: 'lodash', version: 'not-a-version' }]);
    await importAdvisories(house, npmAdvisory('A-1', 'lodash'));
    expect(await answered(house)).toMatchObject({ matches: [], unknown: 1 });
    await except(house, 'A-1', { purl: 'pkg:npm/lodash' });
    expect(await answered(house)).toMatchObject({ matches: [], unknown: 0, excepted: { images: 1 } });
  });

  it('of an index is for the images in it', async () => {
    const house = await openHouse(world);
    const image = await pushed(house, 'acme/shop:1', [lodash]);
    await importAdvisories(house, npmAdvisory('A-1', 'lodash'));
    const index = jsonContent(mediaTypes.index, {
      ...{ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor(image.manifest)] },
    });
    await house.putManifest('acme/shop:all', index);
    await except(house, 'A-1', { imageDigest: index.digest });
    expect((await answered(house)).matches).toEqual([]);
  });

  it('takes out what a plain walk over the same facts takes out', async () => {
    const house = await openHouse(world);
    const names = ['lodash', 'express'];
    const repositories = ['acme/shop', 'acme/portal', 'globex/shop'];
    const [known = []] = fc.sample(
      fc.array(knownImage(names, repositories), { minLength: 8, maxLength: 8 }),
      {
        ...{ numRuns: 1, seed: 6 },
      },
    );
    const images: { image: Image; of: KnownImage }[] = [];
    for (const [at, of] of known.entries()) {
      const image = await pushed(house, `${of.repositories[0]}:i${at}`, of.packages);
      for (const other of of.repositories.slice(1)) await house.push(`${other}:i${at}`, image);
      images.push({ image, of });
    }
    await importAdvisories(house, ...names.map((name) => npmAdvisory(`A-${name}`, name)));
    const digests = images.map(({ image }) => image.manifest.digest);
    await fc.assert(
      fc.asyncProperty(fc.array(knownException(names, digests), { maxLength: 4 }), async (exceptions) => {
        for (const { advisory, ...where } of exceptions) await except(house, advisory, where);
        const answer = await scan(house.deps, { criteria: anyAdvisory, scope: {}, requestedBy: 'jo' });
        const said = answer.images.map(({ repository, digest }) => `${repository}@${digest}`);
        expect(said.toSorted()).toEqual(expected(images, exceptions).toSorted());
        await house.database.transact(async (tx) => {
          const all = await exceptionList(tx.db, { states: ['accepted'], limit: 10 });
          await exceptionsDecide(tx, all, { state: 'withdrawn', actor: 'sec', because: null });
        });
      }),
      { seed: 6, numRuns: 25 },
    );
  });
});

interface KnownImage {
  readonly repositories: readonly string[];
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

interface KnownException {
  readonly advisory: string;
  readonly account: string | null;
  readonly repositoryGlob: string | null;
  readonly imageDigest: string | null;
  readonly purl: string | null;
}

const versions = ['1.0.0', '2.0.0'];

function knownImage(names: readonly string[], repositories: readonly string[]): fc.Arbitrary<KnownImage> {
  const one = fc.record({ name: fc.constantFrom(...names), version: fc.constantFrom(...versions) });
  return fc.record({
    repositories: fc.uniqueArray(fc.constantFrom(...repositories), { minLength: 1, maxLength: 2 }),
    packages: fc.uniqueArray(one, { maxLength: 3, selector: ({ name, version }) => `${name}@${version}` }),
  });
}

function knownException(names: readonly string[], digests: readonly string[]): fc.Arbitrary<KnownException> {
  const purls = names.flatMap((name) => [`pkg:npm/${name}`, `pkg:npm/${name}@${versions[0]}`]);
  return fc.record({
    advisory: fc.constantFrom(...names).map((name) => `A-${name}`),
    account: fc.constantFrom(null, 'acme', 'globex'),
    repositoryGlob: fc.constantFrom(null, null, '*/shop', 'acme/portal'),
    imageDigest: fc.constantFrom(null, null, ...digests),
    purl: fc.constantFrom(null, ...purls),
  });
}

function expected(
  images: readonly { readonly image: Image; readonly of: KnownImage }[],
  exceptions: readonly KnownException[],
): string[] {
  return images.flatMap(({ image: { manifest }, of }) =>
    of.repositories
      .filter((repository) =>
        of.packages.some((one) => {
          const where = { repository, digest: manifest.digest, ...one };
          return !exceptions.some((exception) => isCovered(exception, where));
        }),
      )
      .map((repository) => `${repository}@${manifest.digest}`),
  );
}

function isCovered(
  { advisory, account, repositoryGlob, imageDigest, purl }: KnownException,
  of: {
    readonly repository: string;
    readonly digest: string;
    readonly name: string;
    readonly version: string;
  },
): boolean {
  const { repository, digest, name, version } = of;
  return (
    advisory === `A-${name}` &&
    (account === null || repository.startsWith(`${account}/`)) &&
    (repositoryGlob === null || globMatcher(repositoryGlob)(repository)) &&
    (imageDigest === null || imageDigest === digest) &&
    (purl === null || purl === `pkg:npm/${name}` || purl === `pkg:npm/${name}@${version}`)
  );
}
