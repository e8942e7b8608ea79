import { expect, it } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer, type Image } from '../../../test/support/oci-layout.ts';
import { jarOf, zipOf } from '../../../test/support/zip.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { archiveReview } from '../../records/collection/archives.ts';
import { compileLeaf } from '../../records/criteria/compile.ts';
import { archiveKeep, archiveRestMs } from '../../records/inventory/archive-keep.ts';
import { inspectTask } from '../inspect/inspect-task.ts';
import { createInProcessInspector } from '../inspect/inspector.ts';
import { manifestDelete } from '../push/delete.ts';

const inner = jarOf(['org.acme:inner:1.0'], [{ name: 'org/acme/Inner.class', text: 'inner' }]);
const outer = zipOf([
  { name: 'WEB-INF/lib/inner.jar', bytes: inner },
  { name: 'org/acme/Outer.class', text: 'outer' },
]);
const other = jarOf(['org.acme:other:1.0'], [{ name: 'org/acme/Other.class', text: 'other' }]);

async function openWorld(engines: EngineWorld) {
  const house = await openHouse(engines);
  const { database, clock, blobs } = house;
  const inspector = createInProcessInspector({ store: blobs, extractors, clock });
  const inspecting = inspectTask({ database, blobs, clock, inspector, workers: 1 });
  const repository = parseRepositoryName('acme/shop');
  return {
    ...house,
    pushed: async (path: string, content: Uint8Array) => {
      const image = buildImage({ layers: [await buildLayer([{ path, content }])] });
      await house.push(`acme/shop:${path.replaceAll('/', '-')}`, image);
      while ((await inspecting.run(new AbortController().signal)) === 'worked');
      return image;
    },
    gone: async ({ manifest }: Image) => {
      await manifestDelete(house.deps, { repository, principal: 'jo', digest: manifest.digest });
      clock.advance(house.deps.graceMs + limits.uploadHoldMs);
      await house.collect();
    },
    rested: async () => {
      clock.advance(archiveRestMs);
      await house.collect();
    },
    classes: async () => {
      const criteria = { file: { path: '**/*.class' } };
      const leaf = await compileLeaf(criteria, { database, scope: undefined });
      const images = (await database.search(leaf.matches)).map((row) => row.manifest_id);
      return (await database.search(leaf.evidence(images, 100))).map(({ path }) => path).sort();
    },
    rows: async () => {
      const rows = [];
      for (const table of ['archives', 'archive_files', 'archive_nestings'] as const)
        rows.push((await database.read.selectFrom(table).selectAll().execute()).length);
      return rows;
    },
  };
}

describeEngines('what is known of archives', (engines) => {
  it('goes with the last layer that has them, and with the last archive that they are in', async () => {
    const world = await openWorld(engines);
    const alone = await world.pushed('inner.jar', inner);
    const twice = await world.pushed('x/inner.jar', inner);
    const within = await world.pushed('outer.war', outer);
    await world.pushed('other.jar', other);
    const all = await world.rows();
    await world.gone(alone);
    await world.rested();
    await world.gone(twice);
    await world.rested();
    expect(await world.rows()).toEqual(all);
    const otherClass = 'other.jar!/org/acme/Other.class';
    const inOuter = ['WEB-INF/lib/inner.jar!/org/acme/Inner.class', 'org/acme/Outer.class'];
    expect(await world.classes()).toEqual([otherClass, ...inOuter.map((path) => `outer.war!/${path}`)]);

    await world.gone(within);
    expect(await world.rows()).toEqual(all); // not at rest yet
    await world.rested();
    expect(await world.rows()).toEqual([1, expect.any(Number), 0]);
    expect(await world.classes()).toEqual([otherClass]);
    await world.pushed('again.war', outer);
    expect(await world.rows()).toEqual(all);
    expect(await world.classes()).toEqual([...inOuter.map((path) => `again.war!/${path}`), otherClass]);
  });

  it('stays while a layer is being read that has met them and has yet to name its file', async () => {
    const world = await openWorld(engines);
    await world.gone(await world.pushed('other.jar', other));
    world.clock.advance(archiveRestMs - 1);
    const row = await world.database.read.selectFrom('archives').select('sha256').executeTakeFirstOrThrow();
    const met = { sha256: row.sha256, version: 1, paths: [], nested: [] };
    const empty = { sizes: new Float64Array(0), hashes: new Uint8Array(0) };
    await archiveKeep(world, { ...met, ...empty });
    world.clock.advance(1);
    await world.collect();
    expect((await world.rows())[0]).toBe(1);
    await world.rested();
    expect(await world.rows()).toEqual([0, 0, 0]);
  });

  it('is written anew by a read that meets one of which a part has gone', async () => {
    const world = await openWorld(engines);
    const count = limits.collectInventoryRows + 10;
    const archive = {
      sha256: new Uint8Array(32).fill(7),
      version: 1,
      paths: Array.from({ length: count }, (_, n) => `${n}.class`),
      sizes: new Float64Array(count),
      hashes: new Uint8Array(32 * count),
      nested: [],
    };
    await archiveKeep(world, archive);
    await world.database.transact((tx) =>
      tx.db.updateTable('archives').set({ let_go_at: tx.nowMs }).execute(),
    );
    world.clock.advance(archiveRestMs);
    await world.database.transact(archiveReview);
    expect(await world.rows()).toEqual([1, 10, 0]);
    await archiveKeep(world, archive);
    await world.collect();
    expect(await world.rows()).toEqual([1, count, 0]);
  });
});
