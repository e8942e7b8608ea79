import { hash } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { jarOf, zipOf } from '../../../test/support/zip.ts';
import { java } from '../../layers/extractors/java/java.ts';
import { compileLeaf, type LeafCriteria } from '../../records/criteria/compile.ts';

const lookup = 'org/apache/logging/log4j/core/lookup/JndiLookup.class';
const lookupBytes = 'the class with the lookup';
const log4j = jarOf(['org.apache.logging.log4j:log4j-core:2.14.1'], [{ name: lookup, text: lookupBytes }]);
const fixed = jarOf(
  ['org.apache.logging.log4j:log4j-core:2.17.1'],
  [{ name: lookup, text: 'without lookups' }],
);
const war = (version: string) =>
  zipOf([
    { name: 'WEB-INF/lib/log4j-core.jar', bytes: log4j },
    { name: 'version.txt', text: version },
  ]);

describeEngines('what is in archives', (engines) => {
  let world: InventoryWorld;

  beforeEach(async () => {
    world = await inventoryWorld(engines);
  });

  async function find(criteria: LeafCriteria): Promise<{ images: number[]; paths: (string | null)[] }> {
    const leaf = await compileLeaf(criteria, { database: world.database, scope: undefined });
    const images = (await world.database.search(leaf.matches)).map((row) => row.manifest_id);
    const evidence = await world.database.search(leaf.evidence(images, 100));
    return { images: images.sort((a, b) => a - b), paths: evidence.map(({ path }) => path).sort() };
  }

  const file = (criteria: Extract<LeafCriteria, { file: unknown }>['file']) => find({ file: criteria });
  const layerOf = (path: string, content: Uint8Array) => buildLayer([{ path, content }]);

  it('is found by name, by hash and by place, in every image that has it, and kept once', async () => {
    const plain = await world.push({ layers: [await layerOf('opt/log4j-core.jar', log4j)] });
    const one = await world.push({ layers: [await layerOf('srv/one.war', war('1'))] });
    const two = await world.push({ layers: [await layerOf('srv/two.war', war('2'))] });
    const patched = await world.push({ layers: [await layerOf('opt/log4j-core.jar', fixed)] });
    await world.drain();

    const inOne = `srv/one.war!/WEB-INF/lib/log4j-core.jar!/${lookup}`;
    const inTwo = `srv/two.war!/WEB-INF/lib/log4j-core.jar!/${lookup}`;
    const inPlain = `opt/log4j-core.jar!/${lookup}`;
    expect(await file({ path: '**/JndiLookup.class' })).toEqual({
      images: [plain, one, two, patched],
      paths: [inPlain, inPlain, inOne, inTwo],
    });
    const sha256 = hash('sha256', lookupBytes);
    expect(await file({ sha256 })).toEqual({ images: [plain, one, two], paths: [inPlain, inOne, inTwo] });
    expect(await file({ path: '**/*.class', sha256, in: 'image' })).toMatchObject({
      images: [plain, one, two],
    });
    expect(await file({ path: 'srv/**/JndiLookup.class' })).toEqual({
      images: [one, two],
      paths: [inOne, inTwo],
    });
    expect(await file({ path: inOne })).toEqual({ images: [one], paths: [inOne] });
    expect(await file({ path: '**/*.war!/**/JndiLookup.class' })).toMatchObject({ images: [one, two] });
    expect(await file({ path: '{opt,x}/*.jar!/org/**/Jndi*' })).toMatchObject({ images: [plain, patched] });
    expect(await file({ path: '*/*.war!/version.txt' })).toMatchObject({ images: [one, two] });
    expect(await file({ path: lookup })).toMatchObject({ images: [] });
    expect(await file({ path: '**/JndiLookup.class', setuid: true })).toMatchObject({ images: [] });

    const { db } = { db: world.database.read };
    const archives = await db.selectFrom('archives').select('version').execute();
    expect(archives.map(({ version }) => version)).toEqual(Array(4).fill(java.version));
    const rows = await db.selectFrom('archive_files').select('archive_id').execute();
    // Three in each jar of Maven's, two in each war.
    expect(rows).toHaveLength(2 * 3 + 2 * 2);
  });

  it('is hidden with the archive, and found in the layer all the same', async () => {
    const image = await world.push({
      layers: [await layerOf('opt/app.jar', log4j), await layerOf('opt/.wh.app.jar', new Uint8Array(0))],
    });
    await world.drain();
    expect((await file({ path: '**/JndiLookup.class' })).images).toEqual([image]);
    expect((await file({ path: '**/JndiLookup.class', in: 'image' })).images).toEqual([]);
  });

  it('is found by the package too, in the range that Maven orders', async () => {
    const one = await world.push({ layers: [await layerOf('srv/one.war', war('1'))] });
    await world.push({ layers: [await layerOf('opt/log4j-core.jar', fixed)] });
    await world.drain();
    const purl = 'pkg:maven/org.apache.logging.log4j/log4j-core';
    expect(await find({ package: { purl, versions: '<2.17.1' } })).toEqual({
      images: [one],
      paths: ['srv/one.war!/WEB-INF/lib/log4j-core.jar'],
    });
  });

  it('of an archive that was met in another first is all there once it is met alone', async () => {
    const bundle = zipOf([{ name: 'one.war', bytes: war('1') }]);
    const image = await world.push({ layers: [await layerOf('a.ear', bundle)] });
    await world.drain();
    const alone = await world.push({
      layers: [await layerOf('one.war', war('1')), await layerOf('x/one.war', war('1'))],
    });
    await world.drain();
    expect((await file({ path: '**/JndiLookup.class' })).images).toEqual([image, alone]);
  });
});
