import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type { Criteria, ImageCriteria } from '../../criteria/criteria.ts';
import { ManualClock } from '../../lib/clock.ts';
import { imageMeets } from './image-meets.ts';
import { scan } from './scan.ts';

const day = 86_400_000;
const builtAt = Date.UTC(2026, 0, 1);

/** `acme/shop` and `globex/copy` have the same image, on `acme/base`; the config of `acme/old` has no date. */
async function openWorld(world: Parameters<typeof openHouse>[0]) {
  const clock = new ManualClock(builtAt + 10 * day);
  const house = await openHouse(world, clock);
  const layer = (content: string) => buildLayer([{ path: content, content }]);
  const bottom = await layer('bottom');
  const middle = await layer('middle');
  const app = await layer('app');
  const base = buildImage({ layers: [bottom, middle] });
  const shop = buildImage({ layers: [bottom, middle, app] });
  const other = buildImage({ layers: [bottom, app] });
  await house.push('acme/base:12', base);
  await house.push('acme/shop:v1.2', shop);
  await house.push('acme/old:latest', other);
  for (const image of [base, shop, other]) await house.inspected(image, []);
  await house.database.transact(async ({ db }) => {
    const config = {
      labels: { 'org.opencontainers.image.source': 'https://example.com/acme/shop', team: "it's" },
    };
    const of = (image: typeof shop) =>
      db.selectFrom('manifests').select('id').where('digest', '=', image.manifest.digest);
    const set = (image: typeof shop, values: { config: string; created_at: number | null }) =>
      db.updateTable('images').set(values).where('manifest_id', '=', of(image)).execute();
    await set(shop, { config: JSON.stringify(config), created_at: builtAt });
    await set(base, { config: '{}', created_at: builtAt - 90 * day });
    await set(other, { config: '{}', created_at: null });
  });
  clock.advance(5 * day);
  await house.push('globex/copy:edge', shop);
  return { house, clock, base, shop, bottom };
}

async function verdicts(house: House, criteria: Criteria): Promise<Record<string, string>> {
  const answer = await scan(house.deps, { criteria, scope: {}, requestedBy: 'jo' });
  return Object.fromEntries(answer.images.map((image) => [image.repository, image.verdict]));
}

describeEngines('criteria over an image as a repository has it', (engines) => {
  test('hold in one repository and not in another that has the same image', async () => {
    const { house } = await openWorld(engines);
    const asked = async (image: ImageCriteria['image']) =>
      Object.keys(await verdicts(house, { image })).sort();
    expect(await asked({ repository: 'acme/s*' })).toEqual(['acme/shop']);
    expect(await verdicts(house, { not: { image: { repository: 'acme/**' } } })).toEqual({
      'globex/copy': 'match',
    });
    expect(await asked({ tag: 'v1.*' })).toEqual(['acme/shop']);
    expect(await asked({ tag: 'latest' })).toEqual(['acme/old']);
    expect(await asked({ pushedBy: 'j?' })).toHaveLength(4);
    expect(await asked({ pushedBy: 'ci-*' })).toEqual([]);
    expect(await asked({ pushedAfter: '2026-01-12' })).toEqual(['globex/copy']);
    expect(await asked({ pushedBefore: '2026-01-12T00:00:00Z', tag: 'v*' })).toEqual(['acme/shop']);
    expect(await asked({ notPulledFor: '3d' })).toEqual(['acme/base', 'acme/old', 'acme/shop']);
    expect(await asked({ platform: 'linux' })).toHaveLength(4);
    expect(await asked({ platform: 'linux/arm64' })).toEqual([]);
  });

  test('hold by what its config says; one without a date is unknown where its age is asked for', async () => {
    const { house } = await openWorld(engines);
    expect(await verdicts(house, { image: { olderThan: '30d' } })).toEqual({
      'acme/base': 'match',
      'acme/old': 'unknown',
    });
    expect(await verdicts(house, { image: { newerThan: '30d', repository: 'acme/*' } })).toEqual({
      'acme/shop': 'match',
      'acme/old': 'unknown',
    });
    const both = { 'acme/shop': 'match', 'globex/copy': 'match' };
    expect(await verdicts(house, { image: { source: 'https://example.com/acme/*' } })).toEqual(both);
    expect(await verdicts(house, { image: { label: { name: 'team', value: "it's" } } })).toEqual(both);
    expect(await verdicts(house, { image: { revision: '*' } })).toEqual({});
  });

  test('hold by the layers below: an image, one of its layers, and nothing that is not here', async () => {
    const { house, base, bottom } = await openWorld(engines);
    const on = (digest: string) => verdicts(house, { image: { base: digest } });
    const built = { 'acme/base': 'match', 'acme/shop': 'match', 'globex/copy': 'match' };
    expect(await on(base.manifest.digest)).toEqual(built);
    expect(await on(bottom.digest)).toEqual({ ...built, 'acme/old': 'match' });
    expect(await on(bottom.diffId)).toEqual({ ...built, 'acme/old': 'match' });
    expect(Object.values(await on(`sha256:${'0'.repeat(64)}`))).toEqual(Array(4).fill('unknown'));
  });

  test('need no inspection where they ask for nothing that one finds, and match where one repository does', async () => {
    const { house, shop } = await openWorld(engines);
    await house.database.transact(async ({ db }) => {
      await db.updateTable('images').set({ state: 'pending' }).execute();
    });
    expect(await verdicts(house, { image: { repository: 'globex/**' } })).toEqual({ 'globex/copy': 'match' });
    const { id } = await house.database.read
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', shop.manifest.digest)
      .executeTakeFirstOrThrow();
    const meets = (repository: string) => imageMeets(house.database, id, { image: { repository } });
    expect(await meets('globex/**')).toMatchObject({
      verdict: 'match',
      evidence: [{ path: 'image:repository' }],
    });
    expect(await meets('none/**')).toEqual({ verdict: 'noMatch', evidence: [] });
  });
});
