import { expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { referrerOf } from '../../../test/support/referrers.ts';
import { clockSuspicionKeep } from '../../records/collection/collector-state.ts';
import { holdSet } from '../../records/holds/holds.ts';
import { type RetentionTerms, retentionRuleAdd, retentionRuleRemove } from '../../records/retention/rules.ts';
import { manifestGet } from '../pull/manifest-get.ts';
import { tagDelete } from '../push/delete.ts';
import { retentionPlan } from './plan.ts';
import { trashRestore } from './restore.ts';
import { retain, retainTask } from './retain.ts';

const day = 86_400_000;

describeEngines('retention', (world) => {
  it('takes the tags that no rule keeps, then the image once it was untagged for long enough', async () => {
    const catalog = await openCatalog(world);
    await ruled(catalog, { keepLatest: 1, untaggedMs: 7 * day });
    const old = await pushed(catalog, 'v1');
    await pushed(catalog, 'v2');
    const foretold = await planned(catalog);
    expect(foretold).toContain(':v1 goes notKept');
    expect(await retain(deps(catalog))).toEqual({ tags: 1, manifests: 0 });
    expect(await planned(catalog)).toEqual([':v2 stays keepLatest', '(untagged) stays untaggedNotYet']);
    const get = () => manifestGet(catalog, { repository: catalog.shop, reference: { digest: old.digest } });
    await get();
    catalog.clock.advance(7 * day);
    expect(await retain(deps(catalog))).toEqual({ tags: 0, manifests: 1 });
    await expect(get()).rejects.toMatchObject({ code: 'manifestUnknown' });
    expect(await retain(deps(catalog))).toEqual({ tags: 0, manifests: 0 });
    const events = await lastEvents(catalog, 2);
    expect(events).toMatchObject([
      { type: 'tag.deleted', actor: 'retention', data: { tag: 'v1', rule: 'R-1' } },
      { type: 'manifest.deleted', actor: 'retention', data: { digest: old.digest, rule: 'R-1' } },
    ]);
  });

  it('takes from the repositories of its account and glob only, and nothing once it was ended', async () => {
    const catalog = await openCatalog(world);
    const globexApp = { name: 'globex/app', account: 'globex' };
    for (const repository of [catalog.shop, globexApp])
      for (const tag of ['v1', 'v2']) {
        await catalog.pushImage(await imageOf(tag), tag, repository);
        catalog.clock.advance(1_000);
      }
    await ruled(catalog, { repositoryGlob: '**', keepLatest: 1 });
    await ruled(catalog, { repositoryGlob: 'acme/other', keepLatest: 1, untaggedMs: 0 });
    await catalog.database.transact((tx) => retentionRuleRemove(tx, { name: 'R-1', actor: someone }));
    expect(await retain(deps(catalog))).toEqual({ tags: 0, manifests: 0 });
    await ruled(catalog, { repositoryGlob: '**', keepLatest: 1 });
    expect(await retain(deps(catalog))).toEqual({ tags: 1, manifests: 0 });
  });

  it('leaves what is quarantined, pinned, or the child of an index', async () => {
    const catalog = await openCatalog(world);
    const marked = await pushed(catalog, 'v1');
    const pinned = await pushed(catalog, 'v2');
    const child = await imageOf('child');
    await catalog.pushImage(child);
    await catalog.put(indexOf(child.manifest), { tag: 'all' });
    await pushed(catalog, 'v3');
    await catalog.quarantine({ layer: { digest: marked.layer } });
    await hold(catalog, pinned.digest);
    await ruled(catalog, { tags: ['v*'], keepLatest: 1, untaggedMs: 0 });
    catalog.clock.advance(day);
    expect(await planned(catalog)).toEqual([
      ':all stays noRule',
      ':v1 stays quarantined',
      ':v2 stays held',
      ':v3 stays keepLatest',
      '(untagged) stays childOfIndex',
    ]);
    expect(await retain(deps(catalog))).toEqual({ tags: 0, manifests: 0 });
  });

  it('takes a manifest with what refers to it, as the plan said', async () => {
    const catalog = await openCatalog(world);
    const subject = await imageOf('one');
    await catalog.pushImage(subject);
    const signature = await referrerOf(catalog, subject.manifest, 'signature');
    await referrerOf(catalog, signature, 'signature of the signature');
    const tagged = await referrerOf(catalog, subject.manifest, 'tagged', 'keep-me');
    await ruled(catalog, { untaggedMs: day });
    catalog.clock.advance(2 * day);
    expect(await planned(catalog)).toEqual([
      ':keep-me stays noRule',
      '(untagged) goes untaggedTooLong',
      '(untagged) goes withSubject',
      '(untagged) goes withSubject',
    ]);
    await retain(deps(catalog));
    expect(await inService(catalog)).toEqual([tagged.digest]);
  });

  it('decides anew under the lock: what came since it was decided stays', async () => {
    const catalog = await openCatalog(world);
    const first = await pushed(catalog, 'v1');
    const second = await pushed(catalog, 'v2');
    await pushed(catalog, 'v3');
    const latest = await pushed(catalog, 'v4');
    await ruled(catalog, { keepLatest: 1 });
    const { database } = catalog;
    let transactions = 0;
    // The moment between the decision and the transaction that takes.
    const slow = {
      ...database,
      transact: async <T>(work: Parameters<typeof database.transact<T>>[0]) => {
        if (transactions++ === 0) {
          await catalog.put((await imageOf('v1')).manifest, { tag: 'v1' });
          await hold(catalog, second.digest);
        }
        return database.transact(work);
      },
    };
    expect(await retain({ ...deps(catalog), database: slow })).toEqual({ tags: 1, manifests: 0 });
    expect(await tags(catalog)).toEqual([
      { name: 'v1', digest: first.digest },
      { name: 'v2', digest: second.digest },
      { name: 'v4', digest: latest.digest },
    ]);
  });

  it('leaves no index without its child when both come at once', async () => {
    const catalog = await openCatalog(world);
    await ruled(catalog, { untaggedMs: day });
    const children = await Promise.all(['a', 'b', 'c', 'd'].map((text) => imageOf(text)));
    for (const child of children) await catalog.pushImage(child);
    catalog.clock.advance(2 * day);
    await Promise.all([
      retain(deps(catalog)),
      ...children.map(({ manifest }) =>
        catalog.put(indexOf(manifest), { tag: manifest.digest.slice(7, 20) }),
      ),
    ]);
    for (const { manifest } of children)
      await manifestGet(catalog, { repository: catalog.shop, reference: { digest: manifest.digest } });
  });

  it.each([
    [
      'somebody deletes a newer tag',
      1,
      (catalog: Catalog) => tagDelete(catalog, { repository: catalog.shop, principal: 'jo', tag: 'v3' }),
    ],
    [
      'a newer tag is quarantined',
      1,
      async (catalog: Catalog) => {
        await catalog.quarantine({ manifest: (await imageOf('v3')).manifest.digest });
      },
    ],
    ['a rule comes that keeps', 0, (catalog: Catalog) => ruled(catalog, { keepTags: ['v*'] })],
    [
      'the rule is ended',
      0,
      async ({ database }: Catalog) => {
        await database.transact((tx) => retentionRuleRemove(tx, { name: 'R-1', actor: someone }));
      },
    ],
  ])('decides again over all when %s', async (_, taken, change) => {
    const catalog = await openCatalog(world);
    for (const tag of ['v1', 'v2', 'v3']) await pushed(catalog, tag);
    await ruled(catalog, { keepLatest: 1 });
    const { database } = catalog;
    let transactions = 0;
    const slow = {
      ...database,
      transact: async <T>(work: Parameters<typeof database.transact<T>>[0]) => {
        if (transactions++ === 0) await change(catalog);
        return database.transact(work);
      },
    };
    expect(await retain({ ...deps(catalog), database: slow })).toEqual({ tags: taken, manifests: 0 });
    expect((await tags(catalog)).map(({ name }) => name)).toContain('v2');
  });

  it('leaves a tag that was brought back, and the newer ones that the rule keeps', async () => {
    const catalog = await openCatalog(world);
    await pushed(catalog, 'v1');
    await pushed(catalog, 'v2');
    await ruled(catalog, { keepLatest: 1 });
    await retain(deps(catalog));
    await trashRestore(catalog, { repository: 'acme/shop', reference: { tag: 'v1' }, actor: someone });
    expect(await retain(deps(catalog))).toEqual({ tags: 0, manifests: 0 });
    await catalog.put((await imageOf('v1')).manifest, { tag: 'v1' });
    expect(await retain(deps(catalog))).toEqual({ tags: 1, manifests: 0 });
    expect((await tags(catalog)).map(({ name }) => name)).toEqual(['v1']);
  });

  it('runs once an interval, whatever is committed, and not while the clock is in doubt', async () => {
    const catalog = await openCatalog(world);
    const task = retainTask(deps(catalog), 3_600_000);
    const run = () => task.run(new AbortController().signal);
    expect(await run()).toBe('idle');
    await ruled(catalog, { keepLatest: 1 });
    await pushed(catalog, 'v1');
    await pushed(catalog, 'v2');
    expect(await run()).toBe('idle');
    catalog.clock.advance(3_600_000);
    const at = { wallMs: catalog.clock.wallMs(), bootMs: catalog.clock.bootMs() };
    await catalog.database.transact((tx) =>
      clockSuspicionKeep(tx, { reason: 'it jumped', machine: 'other', at }),
    );
    expect(await run()).toBe('idle');
    await catalog.database.transact((tx) =>
      tx.db.deleteFrom('settings').where('key', '=', 'clock.suspect').execute(),
    );
    catalog.clock.advance(3_600_000);
    expect(await run()).toBe('worked');
  });
});

function deps({ database, clock }: Catalog) {
  return { database, clock, region: 'home' };
}

/** A second passes with each. */
async function pushed(catalog: Catalog, tag: string) {
  const image = await imageOf(tag);
  await catalog.pushImage(image, tag);
  catalog.clock.advance(1_000);
  return { digest: image.manifest.digest, layer: image.layers[0]?.digest };
}

async function ruled({ database }: Catalog, terms: Partial<RetentionTerms>): Promise<void> {
  await database.transact((tx) =>
    retentionRuleAdd(tx, {
      repositoryGlob: 'acme/*',
      tags: [],
      keepTags: [],
      keepLatest: null,
      keepPushedMs: null,
      keepPulledMs: null,
      untaggedMs: null,
      account: 'acme',
      author: someone,
      ...terms,
    }),
  );
}

async function hold({ database }: Catalog, digest: string): Promise<void> {
  await database.transact((tx) => holdSet(tx, { kind: 'pin', digest, holder: 'sam', expiresAt: null }));
}

async function planned(catalog: Catalog): Promise<string[]> {
  const { items } = await retentionPlan(deps(catalog), () => true);
  return items.map(
    ({ tag, verdict, reason }) => `${tag === null ? '(untagged)' : `:${tag}`} ${verdict} ${reason}`,
  );
}

async function inService({ database }: Catalog): Promise<string[]> {
  const rows = await database.read
    .selectFrom('repository_manifests')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .select('manifests.digest')
    .where('repository_manifests.deleted_at', 'is', null)
    .execute();
  return rows.map((row) => row.digest);
}

function tags({ database }: Catalog) {
  return database.read
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.name', 'manifests.digest'])
    .orderBy('tags.name')
    .execute();
}

async function lastEvents({ database }: Catalog, count: number) {
  const rows = await database.read
    .selectFrom('log')
    .select(['type', 'actor', 'data'])
    .orderBy('position', 'desc')
    .limit(count)
    .execute();
  return rows.reverse().map((row) => ({ ...row, data: JSON.parse(row.data) }));
}
