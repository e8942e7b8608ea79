import { expect, test } from 'vitest';
import { openCatalog } from '../../../test/support/catalog.ts';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { buildImage, buildLayer, type Layer, type LayerOptions } from '../../../test/support/oci-layout.ts';
import { inspectTask } from '../../actions/inspect/inspect-task.ts';
import { createInProcessInspector } from '../../actions/inspect/inspector.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { manifestIdOf } from '../catalog/images.ts';
import { baseImage } from './base-image.ts';
import { layersOfImage } from './image-layers.ts';

describeEngines('the base image', (engines) => {
  test('is the image with most layers, of those that are seen, that an image begins with', async () => {
    const world = await baseWorld(engines);
    const [a, b, c, d] = await Promise.all([layerOf('a'), layerOf('b'), layerOf('c'), layerOf('d')]);
    const image = await world.push('acme/app:1', [a, b, c, d]);
    await world.push('globex/base:1', [a]);
    await world.push('acme/base:1', [a, b]);
    await world.push('globex/base:2', [a, b, c]);
    await world.push('acme/sibling:1', [a, b, c, d], { User: 'web' });
    await world.push('acme/other:1', [b, c]);

    expect(await world.base(image, 'acme')).toMatchObject({ repository: 'acme/base', layers: 2 });
    expect(await world.base(image, 'acme', 'globex')).toMatchObject({ repository: 'globex/base', layers: 3 });
    expect(await world.base(image)).toBeUndefined();
    expect(await world.base(await world.push('acme/lone:1', [d]), 'acme')).toBeUndefined();
  });

  test('is found however its layers are compressed, and among equals the first that has a tag', async () => {
    const world = await baseWorld(engines);
    const [plain, zipped] = [await layerOf('base', { compression: 'none' }), await layerOf('base')];
    await world.push('acme/base', [plain], { User: 'untagged' });
    const tagged = await world.push('acme/base:1', [plain], { User: 'tagged' });
    await world.push('acme/base:2', [plain], { User: 'later' });
    const image = await world.push('acme/app:1', [zipped, await layerOf('app')]);
    expect(await world.base(image, 'acme')).toMatchObject({ digest: tagged });
    await world.remove(tagged);
    expect(await world.base(image, 'acme')).not.toMatchObject({ digest: tagged });
  });

  test('is what the layers are, not what a config claims', async () => {
    const world = await baseWorld(engines);
    const [base, own, lie] = await Promise.all([layerOf('base'), layerOf('own'), layerOf('lie')]);
    await world.push('acme/base:1', [base]);
    const image = await world.push('acme/liar:1', [{ ...lie, diffId: base.diffId }, own]);
    expect(await world.base(image, 'acme')).toBeUndefined();
  });
});

const layerOf = (text: string, options?: LayerOptions): Promise<Layer> =>
  buildLayer([{ path: `opt/${text}`, content: text }], options);

async function baseWorld(engines: EngineWorld) {
  const catalog = await openCatalog(engines);
  const { database } = catalog;
  const inspector = createInProcessInspector({ ...catalog, store: catalog.blobs, extractors });
  const task = inspectTask({ ...catalog, inspector, workers: 1 });
  return {
    /** @returns its digest */
    push: async (reference: string, layers: readonly Layer[], config = {}) => {
      const [name = '', tag] = reference.split(':');
      const image = buildImage({ layers, config });
      await catalog.pushImage(image, tag, parseRepositoryName(name));
      while ((await task.run(new AbortController().signal)) === 'worked');
      return image.manifest.digest;
    },
    /** For whoever sees these accounts. */
    base: async (digest: string, ...accounts: string[]) => {
      const layers = await layersOfImage(database.read, (await manifestIdOf(database.read, digest)) ?? 0);
      return baseImage(database, layers, ({ account }) => accounts.includes(account));
    },
    remove: (digest: string) =>
      database.transact(async (tx) => {
        const id = (await manifestIdOf(tx.db, digest)) ?? 0;
        const gone = { deleted_at: tx.nowMs, deleted_by: 'jo' };
        await tx.db.updateTable('repository_manifests').set(gone).where('manifest_id', '=', id).execute();
      }),
  };
}
