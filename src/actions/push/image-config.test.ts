import { expect, it } from 'vitest';
import { type Catalog, imageOf, openCatalog } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import type { Image } from '../../../test/support/oci-layout.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { Database } from '../../records/db/database.ts';
import { readImageConfig } from './image-config.ts';
import { manifestPut } from './manifest-put.ts';

/** A store in which `meanwhile` happens between somebody's look at the row and the first reading of the bytes. */
function meanwhile(catalog: Catalog, happens: () => Promise<void>): Pick<BlobStore, 'read'> {
  let happened = false;
  return {
    read: async (key, range, signal) => {
      if (!happened) {
        happened = true;
        await happens();
        await catalog.blobs.delete([key]);
      }
      return catalog.blobs.read(key, range, signal);
    },
  };
}

function configOf(catalog: Catalog, blobs: Pick<BlobStore, 'read'>, image: Image) {
  const manifest = parseManifest(image.manifest.bytes, image.manifest.mediaType);
  if (manifest.kind !== 'image') throw new Error('it is an image');
  return readImageConfig({ read: catalog.database.read, blobs }, catalog.shop.name, manifest);
}

describeEngines('the config of a manifest that is pushed', (world) => {
  it('is missing when the collector takes it between its row and its bytes', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushBlob(image.config);
    const blobs = meanwhile(catalog, () => catalog.condemn(image.config.digest));
    expect(await configOf(catalog, blobs, image)).toBe('missing');
  });

  it('is read under its new key when it is pushed again between', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushBlob(image.config);
    const blobs = meanwhile(catalog, async () => {
      await catalog.condemn(image.config.digest);
      await catalog.pushBlob(image.config);
    });
    expect(await configOf(catalog, blobs, image)).toMatchObject({
      diffIds: image.layers.map((layer) => layer.diffId),
    });
  });

  it('is a fault of the store when its row still names the bytes that are gone', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushBlob(image.config);
    const blobs = meanwhile(catalog, async () => undefined);
    await expect(configOf(catalog, blobs, image)).rejects.toMatchObject({ code: 'storeMissing' });
  });

  it('is unknown to the push, which is refused, when it comes after it was looked for', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    for (const layer of image.layers) await catalog.pushBlob(layer);
    const database: Database = {
      ...catalog.database,
      transact: async (work) => {
        await catalog.pushBlob(image.config);
        return catalog.database.transact(work);
      },
    };
    const { bytes, mediaType: contentType } = image.manifest;
    const put = { repository: catalog.shop, reference: { tag: '1' }, bytes, contentType, principal: 'jo' };
    const detail = { digest: image.config.digest };
    await expect(manifestPut({ ...catalog, database }, put)).rejects.toMatchObject({
      code: 'manifestBlobUnknown',
      detail,
    });
    expect((await manifestPut(catalog, put)).digest).toBe(image.manifest.digest);
  });
});
