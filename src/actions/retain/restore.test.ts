import { expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import type { Content } from '../../../test/support/oci-layout.ts';
import { referrerOf } from '../../../test/support/referrers.ts';
import { hasCode } from '../../lib/errors.ts';
import { trashList } from '../../records/catalog/trash.ts';
import { collect } from '../collect/collect.ts';
import { blobOpen } from '../pull/blob-open.ts';
import { manifestGet } from '../pull/manifest-get.ts';
import { blobDelete, manifestDelete, tagDelete } from '../push/delete.ts';
import { trashRestore } from './restore.ts';

const day = 86_400_000;

describeEngines('the trash', (world) => {
  it('gives a deleted tag back, and says who deleted it and when', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog, 'v1');
    await deleteTag(catalog, 'v1');
    const item = { repository: 'acme/shop', tag: 'v1', digest: manifest.digest, deletedBy: someone };
    expect(await listed(catalog)).toMatchObject([{ ...item, deletedAt: catalog.clock.wallMs() }]);
    expect(await restore(catalog, { tag: 'v1' })).toMatchObject({ manifests: [], tags: ['v1'] });
    await manifestGet(catalog, { repository: catalog.shop, reference: { tag: 'v1' } });
    expect(await listed(catalog)).toEqual([]);
    await expect(restore(catalog, { tag: 'v1' })).rejects.toMatchObject({ code: 'notFound' });
  });

  it('gives a manifest back with its tags that are free, what refers to it, and its bytes', async () => {
    const catalog = await openCatalog(world);
    const { manifest, layers } = await pushed(catalog, 'v1');
    await catalog.put(manifest, { tag: 'v2' });
    const signature = await referrerOf(catalog, manifest, 'signature');
    await deleteManifest(catalog, manifest);
    expect(await listed(catalog)).toContainEqual(
      expect.objectContaining({ digest: signature.digest, with: manifest.digest }),
    );
    await pushed(catalog, 'v2');
    catalog.clock.advance(day - 1);
    await collected(catalog);
    expect(await restore(catalog, { digest: manifest.digest })).toEqual({
      repository: 'acme/shop',
      digest: manifest.digest,
      manifests: [manifest.digest, signature.digest],
      tags: ['v1'],
      tagsTaken: ['v2'],
    });
    catalog.clock.advance(2 * day);
    await collected(catalog);
    await manifestGet(catalog, { repository: catalog.shop, reference: { tag: 'v1' } });
    await manifestGet(catalog, { repository: catalog.shop, reference: { digest: signature.digest } });
    for (const { digest } of layers) await blobOpen(catalog, { repository: catalog.shop, digest });
    expect((await catalog.eventTypes()).filter((type) => type === 'manifest.restored')).toHaveLength(2);
  });

  it('gives a deleted image back by its tag alone', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog, 'v1');
    await catalog.put(manifest, { tag: 'v2' });
    await deleteManifest(catalog, manifest);
    expect(await restore(catalog, { tag: 'v2' })).toMatchObject({
      manifests: [manifest.digest],
      tags: ['v2'],
    });
    expect((await listed(catalog)).map(({ tag }) => tag)).toEqual(['v1']);
  });

  it('does not take a tag from what has it now', async () => {
    const catalog = await openCatalog(world);
    await pushed(catalog, 'v1');
    await deleteTag(catalog, 'v1');
    await catalog.pushImage(await imageOf('another'), 'v1');
    await expect(restore(catalog, { tag: 'v1' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is emptied by the collector after the grace, and says so', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog, 'v1');
    await pushed(catalog, 'v2');
    await deleteManifest(catalog, manifest);
    await deleteTag(catalog, 'v2');
    catalog.clock.advance(2 * day);
    await collected(catalog);
    expect(await listed(catalog)).toEqual([]);
    for (const reference of [{ digest: manifest.digest }, { tag: 'v1' }, { tag: 'v2' }])
      await expect(restore(catalog, reference)).rejects.toMatchObject({
        code: 'notFound',
        message: expect.stringContaining('the collector has taken it already'),
      });
    await manifestGet(catalog, {
      repository: catalog.shop,
      reference: { digest: (await imageOf('v2')).manifest.digest },
    });
  });

  it('gives all or nothing while the collector empties it', async () => {
    const catalog = await openCatalog(world);
    const images = await Promise.all(['a', 'b', 'c', 'd'].map((text) => imageOf(text)));
    for (const image of images) await catalog.pushImage(image, 'x');
    for (const { manifest } of images) await deleteManifest(catalog, manifest);
    catalog.clock.advance(2 * day);
    const [, ...outcomes] = await Promise.all([
      collected(catalog),
      ...images.map(({ manifest }) =>
        restore(catalog, { digest: manifest.digest }).then(
          () => 'back',
          (error: unknown) => (hasCode(error, 'notFound') ? 'gone' : Promise.reject(error)),
        ),
      ),
    ]);
    catalog.clock.advance(2 * day);
    await collected(catalog);
    for (const [at, { manifest, layers }] of images.entries()) {
      const get = manifestGet(catalog, { repository: catalog.shop, reference: { digest: manifest.digest } });
      if (outcomes[at] === 'gone') await expect(get).rejects.toMatchObject({ code: 'manifestUnknown' });
      else {
        await get;
        for (const { digest } of layers) await blobOpen(catalog, { repository: catalog.shop, digest });
      }
    }
  });

  it('links a blob again that was deleted from the repository meanwhile', async () => {
    const catalog = await openCatalog(world);
    const { manifest, layers } = await pushed(catalog, 'v1');
    await deleteManifest(catalog, manifest);
    const digest = layers[0]?.digest ?? manifest.digest;
    await blobDelete(catalog, { repository: catalog.shop, principal: someone, digest });
    await restore(catalog, { tag: 'v1' });
    await blobOpen(catalog, { repository: catalog.shop, digest });
  });

  it('keeps what is quarantined', async () => {
    const catalog = await openCatalog(world);
    const { manifest, layers } = await pushed(catalog, 'v1');
    await deleteManifest(catalog, manifest);
    const release = await catalog.quarantine({ layer: { digest: layers[0]?.digest } });
    await expect(restore(catalog, { tag: 'v1' })).rejects.toMatchObject({ code: 'quarantined' });
    await release();
    await restore(catalog, { tag: 'v1' });
  });

  it('gives an index back with the children that were deleted after it', async () => {
    const catalog = await openCatalog(world);
    const child = await imageOf('child');
    await catalog.pushImage(child);
    const index = indexOf(child.manifest);
    await catalog.put(index, { tag: 'all' });
    await deleteManifest(catalog, index);
    await deleteManifest(catalog, child.manifest);
    expect(await restore(catalog, { tag: 'all' })).toMatchObject({
      manifests: [index.digest, child.manifest.digest],
    });
  });

  it('gives a child back to an index that is pushed by a client that found the child here', async () => {
    const catalog = await openCatalog(world);
    const child = await imageOf('child');
    await catalog.pushImage(child);
    await deleteManifest(catalog, child.manifest);
    await catalog.put(indexOf(child.manifest), { tag: 'all' });
    await manifestGet(catalog, { repository: catalog.shop, reference: { digest: child.manifest.digest } });
  });
});

describeEngines('a deleted manifest', (world) => {
  it('takes along what only refers to it: not what has a tag, is named by an index or is quarantined', async () => {
    const catalog = await openCatalog(world);
    const { manifest } = await pushed(catalog, 'v1');
    const taken = await referrerOf(catalog, manifest, 'one');
    const nested = await referrerOf(catalog, taken, 'two');
    await referrerOf(catalog, manifest, 'three', 'tagged');
    const named = await referrerOf(catalog, manifest, 'four');
    await catalog.put(indexOf(named), { tag: 'index' });
    const marked = await referrerOf(catalog, manifest, 'five');
    await catalog.quarantine({ manifest: marked.digest });
    await deleteManifest(catalog, manifest);
    const gone = (await listed(catalog)).filter(({ tag }) => tag === null).map(({ digest }) => digest);
    expect(gone.sort()).toEqual([manifest.digest, taken.digest, nested.digest].sort());
  });
});

async function pushed(catalog: Catalog, tag: string) {
  const image = await imageOf(tag);
  await catalog.pushImage(image, tag);
  return image;
}

function deleteTag(catalog: Catalog, tag: string): Promise<void> {
  return tagDelete(catalog, { repository: catalog.shop, principal: someone, tag });
}

function deleteManifest(catalog: Catalog, { digest }: Content): Promise<void> {
  return manifestDelete(catalog, { repository: catalog.shop, principal: someone, digest });
}

function restore(catalog: Catalog, reference: Parameters<typeof trashRestore>[1]['reference']) {
  return trashRestore(catalog, { repository: 'acme/shop', reference, actor: someone });
}

function listed({ database }: Catalog) {
  return trashList(database.read, { repositories: ['acme/shop'], limit: 100 });
}

/** Until nothing is left to do. */
async function collected(catalog: Catalog): Promise<void> {
  const deps = { ...catalog, graceMs: day };
  for (let n = 1; n > 0; ) {
    const { manifests, condemned, collected: swept } = await collect(deps);
    n = manifests + condemned + swept;
  }
}
