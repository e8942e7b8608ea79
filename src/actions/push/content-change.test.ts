import { expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { content } from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { blobHead } from '../pull/blob-open.ts';
import { tagList } from '../pull/lists.ts';
import { manifestGet } from '../pull/manifest-get.ts';
import { blobMount } from './blob-mount.ts';
import { blobDelete, manifestDelete, tagDelete } from './delete.ts';

const blob = content('application/octet-stream', Buffer.from('some bytes'));
const globexApp = parseRepositoryName('globex/app');

describeEngines('a mount', (world) => {
  const mount = (catalog: Catalog, allowed = true) =>
    blobMount(catalog, { repository: globexApp, from: catalog.shop, digest: blob.digest, allowed });

  it('links the blob of a repository that the caller may read, and holds it', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    expect(await mount(catalog)).toEqual({ digest: blob.digest, sizeBytes: blob.size });
    await blobHead(catalog, { repository: globexApp, digest: blob.digest });
    expect(await answerHoldEnd(catalog)).toBeGreaterThanOrEqual(catalog.clock.wallMs() + limits.uploadHoldMs);
  });

  it('is an upload instead when the caller may not read there, or the blob is not there or condemned', async () => {
    const catalog = await openCatalog(world);
    expect(await mount(catalog)).toBeUndefined();
    await catalog.pushBlob(blob);
    expect(await mount(catalog, false)).toBeUndefined();
    await catalog.condemn(blob.digest);
    expect(await mount(catalog)).toBeUndefined();
  });

  it.each([undefined, 'acme', 'globex'])('is refused under a quarantine of %s', async (account) => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    await catalog.quarantine({ layer: { digest: blob.digest }, ...(account ? { account } : {}) });
    await expect(mount(catalog)).rejects.toMatchObject({ code: 'quarantined' });
    await expect(blobHead(catalog, { repository: globexApp, digest: blob.digest })).rejects.toThrow();
  });
});

describeEngines('deleting', (world) => {
  it('a tag keeps the manifest, which is reviewed', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog, 'latest');
    const ask = { repository: catalog.shop, principal: someone, tag: 'latest' };
    await tagDelete(catalog, ask);
    await expect(tagDelete(catalog, ask)).rejects.toMatchObject({ code: 'manifestUnknown' });
    await manifestGet(catalog, { repository: catalog.shop, reference: { digest: manifest.digest } });
    expect(await reviewed(catalog)).toContainEqual({ kind: 'manifest', digest: manifest.digest });
  });

  it('a manifest takes its tags along, here only', async () => {
    const catalog = await openCatalog(world);
    const image = await pushed(catalog, 'latest');
    await catalog.pushImage(image, 'latest', globexApp);
    const ask = { repository: catalog.shop, principal: someone, digest: image.manifest.digest };
    await manifestDelete(catalog, ask);
    await expect(manifestDelete(catalog, ask)).rejects.toMatchObject({ code: 'manifestUnknown' });
    const reference = { digest: image.manifest.digest };
    const gone = manifestGet(catalog, { repository: catalog.shop, reference });
    await expect(gone).rejects.toMatchObject({ code: 'manifestUnknown' });
    expect((await tagList(catalog, { repository: catalog.shop })).items).toEqual([]);
    await manifestGet(catalog, { repository: globexApp, reference: { tag: 'latest' } });
    expect((await catalog.eventTypes()).slice(-2)).toEqual(['tag.deleted', 'manifest.deleted']);
  });

  it('a manifest is refused while an available index names it, and goes once the index is quarantined', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog);
    const index = indexOf(manifest);
    await catalog.put(index, { tag: 'all' });
    const ask = { repository: catalog.shop, principal: someone, digest: manifest.digest };
    await expect(manifestDelete(catalog, ask)).rejects.toMatchObject({
      code: 'manifestReferenced',
      detail: { referencedBy: [index.digest] },
    });
    await catalog.quarantine({ manifest: index.digest });
    await manifestDelete(catalog, ask);
  });

  it('a blob is refused while a manifest here names it, quarantined or not, and goes once that is deleted', async () => {
    const catalog = await openCatalog(world);
    const image = await pushed(catalog);
    const digest = image.layers[0]?.digest ?? image.config.digest;
    const ask = { repository: catalog.shop, principal: someone, digest };
    const referenced = {
      code: 'manifestReferenced',
      detail: { referencedBy: [image.manifest.digest] },
    };
    await expect(blobDelete(catalog, ask)).rejects.toMatchObject(referenced);
    await catalog.quarantine({ layer: { digest }, account: 'acme' });
    await expect(blobDelete(catalog, ask)).rejects.toMatchObject(referenced);
    await manifestDelete(catalog, { ...ask, digest: image.manifest.digest });
    await blobDelete(catalog, ask);
    await expect(blobDelete(catalog, ask)).rejects.toMatchObject({ code: 'blobUnknown' });
    expect(await reviewed(catalog)).toContainEqual({ kind: 'blob', digest });
  });

  it('a blob leaves this repository and stays in the others', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    await catalog.pushBlob(blob, globexApp);
    const { digest } = blob;
    await blobDelete(catalog, { repository: catalog.shop, principal: someone, digest });
    await expect(blobHead(catalog, { repository: catalog.shop, digest })).rejects.toMatchObject({
      code: 'blobUnknown',
    });
    await blobHead(catalog, { repository: globexApp, digest });
  });
});

async function pushed(catalog: Catalog, tag?: string) {
  const image = await imageOf('one');
  await catalog.pushImage(image, tag);
  return image;
}

function reviewed({ database }: Catalog) {
  return database.read.selectFrom('review_queue').select(['kind', 'digest']).execute();
}

async function answerHoldEnd({ database }: Catalog): Promise<number | null> {
  const query = database.read.selectFrom('holds').select('expires_at').where('kind', '=', 'answer');
  return (await query.executeTakeFirstOrThrow()).expires_at;
}
