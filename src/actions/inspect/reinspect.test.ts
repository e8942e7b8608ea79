import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { layerInventory } from '../../../test/support/layer-inventory.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { Extractor } from '../../layers/extractor.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { limits } from '../../lib/limits.ts';
import { imageViewKeep, viewWanted } from '../../records/inventory/image-keep.ts';
import { imageInventory } from '../../records/inventory/image-read.ts';
import { inventoryVersionOf } from '../../records/inventory/inventory-versions.ts';
import { packageList } from '../../records/inventory/package-list.ts';
import { secretList } from '../../records/inventory/secret-list.ts';
import { rereadPriority, staleLayersEnqueue } from '../../records/inventory/stale-layers.ts';
import { viewsWant, viewsWantOfMany } from '../../records/inventory/wanted-views.ts';
import { jobClaim, jobRelease } from '../../records/jobs/jobs.ts';
import { awaitsInspection } from '../../records/marks/door.ts';

/** Put together here, so that this file has no secret in it. */
const token = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_');

const layerOf = (name: string) =>
  buildLayer([
    { path: `node_modules/${name}/package.json`, content: JSON.stringify({ name, version: '1.0.0' }) },
    { path: 'deploy.sh', content: `export T=${token} # ${name}\n` },
  ]);

const npmVersion = extractors.find(({ name }) => name === 'npm')?.version;

/** npm's, one version on: it says so in the names that it finds. */
const newer: readonly Extractor[] = extractors.map((extractor) =>
  extractor.name === 'npm'
    ? {
        ...extractor,
        version: extractor.version + 1,
        complete: (found) => ({ ...found, name: `${found.name}-again`, purl: `${found.purl}-again` }),
      }
    : extractor,
);

describeEngines('layers that older extractors read', (engines) => {
  test('are read again by a newer one, after what is pushed, and no others are', async () => {
    await using world = await inventoryWorld(engines);
    const [old, fresh, pushed] = [await layerOf('old'), await layerOf('fresh'), await layerOf('pushed')];
    const image = await world.push({ layers: [old] });
    await world.drain();
    world.restart(newer);
    await world.push({ layers: [fresh] });
    await world.findStale();
    await world.push({ layers: [pushed] });
    expect(await world.status()).toMatchObject({ version: 2, done: 0, stale: 1, pending: 2, failed: 0 });
    const claimed = [await claim(world), await claim(world), await claim(world, 0), await claim(world)];
    expect(claimed.map((job) => job && [job.key, job.priority])).toEqual([
      [fresh.digest, 0],
      [pushed.digest, 0],
      undefined,
      [old.digest, rereadPriority],
    ]);
    await world.database.transact(async (tx) => {
      for (const job of claimed) if (job) await jobRelease(tx, job);
    });

    await world.drain();
    const read = (await world.events('layer.inspected')).map(({ digest }) => digest);
    expect(read.toSorted()).toEqual([old.digest, old.digest, fresh.digest, pushed.digest].toSorted());
    expect(await packages(world, image)).toEqual(['old-again']);
    expect(await world.status()).toMatchObject({ done: 3, stale: 0, pending: 0, failed: 0, leftMs: 0 });
    expect(await world.jobs()).toEqual([]);
  });

  test('are left alone by a server that lacks an extractor or has an older one', async () => {
    await using world = await inventoryWorld(engines);
    world.restart(newer);
    await world.push({ layers: [await layerOf('a')] });
    await world.drain();
    world.restart(extractors.slice(2));
    await world.drain();
    expect(await world.status()).toMatchObject({ version: 2, done: 1, stale: 0 });
    expect(await world.events('layer.inspected')).toHaveLength(1);
  });

  test('are not read again where the newer one wants none of their files, and say its version all the same', async () => {
    await using world = await inventoryWorld(engines);
    const [npm, other] = [await layerOf('a'), await buildLayer([{ path: 'etc/motd', content: 'hello' }])];
    const image = await world.push({ layers: [other] });
    await world.push({ layers: [npm, other] });
    await world.drain();
    world.restart(newer);
    await world.drain();
    const read = (await world.events('layer.inspected')).map(({ digest }) => digest);
    expect(read.filter((digest) => digest === npm.digest)).toHaveLength(2);
    expect(read.filter((digest) => digest === other.digest)).toHaveLength(1);
    expect(await world.status()).toMatchObject({ done: 2, stale: 0, pending: 0, failed: 0 });
    expect(await imageInventory(world.database.read, image)).toMatchObject({
      state: 'done',
      isRenewed: false,
      inventoryVersion: 2,
    });
    const found = await layerInventory(world.database.read, other.digest);
    expect(found?.extractions.find(({ extractor }) => extractor === 'npm')).toMatchObject({
      version: (npmVersion ?? 0) + 1,
      state: 'done',
    });
    expect(await world.jobs()).toEqual([]);
  });

  test('are read again where nobody can tell by the header whether their files are wanted', async () => {
    await using world = await inventoryWorld(engines);
    const [link, broken] = [
      await buildLayer([{ path: 'node_modules/a/package.json', link: '../b' }]),
      await world.brokenLayer({ bytes: Buffer.from('no tar') }),
    ];
    await world.push({ layers: [link] });
    await world.push({ layers: [broken] });
    await world.drain();
    world.restart(newer);
    await world.drain();
    expect(await world.events('layer.inspected')).toHaveLength(4);
  });

  test('keep their answers until they have been read again, also by another process', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await layerOf('a');
    const image = await world.push({ layers: [layer] });
    await world.drain();
    world.restart(newer);
    for (const parts of [0, 1, 2, 3]) {
      world.inspector.failAfterParts = parts;
      await world.drain();
      expect(await packages(world, image)).toEqual(['a']);
      expect(await secrets(world, image)).toEqual(['deploy.sh']);
      const { state, extractions = [] } = (await layerInventory(world.database.read, layer.digest)) ?? {};
      expect(state).toBe('done');
      expect(extractions.find(({ extractor }) => extractor === 'npm')?.version).toBe(npmVersion);
      world.clock.advance(limits.jobLeaseMs);
      world.restart(newer);
    }
    world.inspector.failAfterParts = undefined;
    await world.drain();
    expect(await packages(world, image)).toEqual(['a-again']);
    expect(await secrets(world, image)).toEqual(['deploy.sh']);
  });

  test('leave the images as they were, with the version that they are of, until their views are made anew', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await layerOf('a');
    const image = await world.push({ layers: [layer] });
    await world.drain();
    world.restart(newer);
    await world.findStale();
    await world.readLayers();
    const { read } = world.database;
    expect(await imageInventory(read, image)).toMatchObject({
      state: 'done',
      isRenewed: true,
      inventoryVersion: 1,
      layers: [{ version: 2 }],
    });
    expect(await packages(world, image)).toEqual(['a']);
    expect(await awaitsInspection(read, image, world.clock.wallMs() + 60_000)).toBe(false);
    await world.drain();
    expect(await imageInventory(read, image)).toMatchObject({
      state: 'done',
      isRenewed: false,
      inventoryVersion: 2,
    });
    expect(await packages(world, image)).toEqual(['a-again']);
  });

  test('are in the view also when one ended while it was being made', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await layerOf('a');
    const image = await world.push({ layers: [layer] });
    await world.drain();
    const { database } = world;
    await database.transact((tx) => viewsWant(tx, layer.digest));
    const wanted = await viewWanted(database.read, image);
    await database.transact((tx) => viewsWant(tx, layer.digest));
    const view = { ...emptyView, manifestId: image, wanted: wanted ?? 0 };
    expect(await imageViewKeep(database, view, () => {})).toBe(false);
    expect(await packages(world, image)).toEqual(['a']);
    expect(await viewWanted(database.read, image)).toBe(2);
    await world.drain();
    expect(await packages(world, image)).toEqual(['a']);
    expect(await viewWanted(database.read, image)).toBe(0);
  });

  test('have the views of all their images made anew, in several transactions, whatever ends in between', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await layerOf('shared');
    for (const name of ['a', 'b', 'c', 'd', 'e']) await world.push({ layers: [layer, await layerOf(name)] });
    await world.drain();
    const { database } = world;
    const few = 2;
    const wanted = async () => {
      const rows = await database.read.selectFrom('images').select('wanted').orderBy('manifest_id').execute();
      return rows.map((row) => row.wanted);
    };
    await database.transact((tx) => viewsWant(tx, layer.digest, few));
    expect(await wanted()).toEqual([0, 0, 0, 0, 0]);
    let looked = 0;
    const afterOne = {
      get aborted() {
        return looked++ > 0;
      },
    };
    expect(await viewsWantOfMany(world, 'one that ends', afterOne, few)).toBe(true);
    expect(await wanted()).toEqual([1, 1, 0, 0, 0]);
    // What became known meanwhile is news for those that were wanted already.
    await database.transact((tx) => viewsWant(tx, layer.digest, few));
    await world.drain();
    expect(await wanted()).toEqual([0, 0, 0, 0, 0]);
    expect(await world.jobs()).toEqual([]);
    expect(await world.events('image.inspected')).toHaveLength(10);
  });

  test('keep what they learned of their release from another layer, and what advisories say of it', async () => {
    await using world = await inventoryWorld(engines);
    const status = 'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n';
    const base = await buildLayer([{ path: 'usr/lib/os-release', content: 'ID=debian\nVERSION_ID="12"\n' }]);
    const image = await world.push({
      layers: [base, await buildLayer([{ path: 'var/lib/dpkg/status', content: status }])],
    });
    await world.drain();
    const held = async () => {
      const { items } = await packageList(world.database, { manifestId: image, place: 'layer', limit: 10 });
      return items.map(({ ecosystem }) => ecosystem).sort();
    };
    expect(await held()).toEqual(['Debian:12']);
    world.restart(extractors.map((one) => ({ ...one, version: one.version + 1 })));
    await world.findStale();
    await world.readLayers();
    expect(await held()).toEqual(['Debian', 'Debian:12']);
    await world.drain();
    expect(await held()).toEqual(['Debian:12']);
    expect((await world.events('image.inspected')).map(({ state }) => state)).toEqual(['done', 'done']);
  });

  test('that can not be read again keep their answers, and are tried with the next version', async () => {
    await using world = await inventoryWorld(engines);
    const image = await world.push({ layers: [await layerOf('a')] });
    await world.drain();
    world.restart(newer);
    world.inspector.failAfterParts = 0;
    for (let attempt = 0; attempt < limits.jobAttemptsMax; attempt++) {
      await world.drain();
      world.clock.advance(10 * 60_000);
    }
    await world.drain();
    expect(await world.status()).toMatchObject({ done: 0, stale: 1, failed: 1, leftMs: 0 });
    expect(await packages(world, image)).toEqual(['a']);

    world.inspector.failAfterParts = undefined;
    world.restart(newer.map((one) => ({ ...one, version: one.version + 1 })));
    await world.drain();
    expect(await world.status()).toMatchObject({ done: 1, stale: 0, failed: 0 });
    expect(await packages(world, image)).toEqual(['a-again']);
  });

  test('are queued a few at a time', async () => {
    await using world = await inventoryWorld(engines);
    const layers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(layerOf));
    await world.push({ layers });
    await world.drain();
    const { database } = world;
    const version = await inventoryVersionOf(database, [{ name: 'new', version: 1 }]);
    const asked = { queuedMax: 4, nowMs: world.clock.wallMs() };
    expect(await staleLayersEnqueue(database, version, asked)).toBe(4);
    expect(await staleLayersEnqueue(database, version, asked)).toBe(0);
    await claim(world);
    await claim(world);
    expect(await staleLayersEnqueue(database, version, asked)).toBe(1);
  });

  test('hold up no others while they wait for something else', async () => {
    await using world = await inventoryWorld(engines);
    await world.push({ layers: await Promise.all(['a', 'b', 'c', 'd', 'e'].map(layerOf)) });
    await world.drain();
    const { database } = world;
    const version = await inventoryVersionOf(database, [{ name: 'new', version: 1 }]);
    const nowMs = world.clock.wallMs();
    expect(await staleLayersEnqueue(database, version, { queuedMax: 4, nowMs })).toBe(4);
    await database.transact((tx) =>
      tx.db
        .updateTable('jobs')
        .set({ run_at: nowMs + 1 })
        .execute(),
    );
    expect(await staleLayersEnqueue(database, version, { queuedMax: 4, nowMs })).toBe(1);
  });
});

/** As if nothing were in it any more. */
const emptyView = {
  state: 'done',
  version: 1,
  reason: null,
  os: null,
  config: null,
  chainId: null,
  createdAt: null,
  shown: [],
  learned: [],
  superseded: [],
  secrets: [],
} as const;

function claim(world: InventoryWorld, priorityMin = rereadPriority) {
  return jobClaim(world, { kind: 'inspect', priorityMin }, 'test');
}

async function packages(world: InventoryWorld, manifestId: number): Promise<string[]> {
  const { items } = await packageList(world.database, { manifestId, place: 'image', limit: 10 });
  return items.map(({ name }) => name);
}

async function secrets(world: InventoryWorld, manifestId: number): Promise<string[]> {
  const { items } = await secretList(world.database, { manifestId, place: 'layer', limit: 10 });
  return items.map(({ path }) => path);
}
