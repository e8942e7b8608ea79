import { expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import {
  content,
  descriptor,
  type Image,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import type { Database } from '../../records/db/database.ts';
import { blobHead, blobOpen, blobStat } from './blob-open.ts';
import { catalogList, referrerList, tagList } from './lists.ts';
import { manifestGet, manifestHead } from './manifest-get.ts';

const blob = content('application/octet-stream', Buffer.from('0123456789'));

describeEngines('a blob', (world) => {
  it('is served whole and in parts, in a repository that holds it only', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    const name = { repository: catalog.shop, digest: blob.digest };
    expect(await text(blobOpen(catalog, name))).toBe('0123456789');
    expect(await text(blobOpen(catalog, { ...name, range: { start: 2, end: 4 } }))).toBe('234');
    const outside = blobOpen(catalog, { ...name, range: { start: 10, end: 12 } });
    await expect(outside).rejects.toMatchObject({ code: 'rangeInvalid' });
    const elsewhere = { ...name, repository: parseRepositoryName('globex/app') };
    for (const door of [blobOpen, blobHead, blobStat])
      await expect(door(catalog, elsewhere)).rejects.toMatchObject({ code: 'blobUnknown' });
  });

  it('is refused at every door under a quarantine, with its reason, and served again after the release', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    const name = { repository: catalog.shop, digest: blob.digest };
    const release = await catalog.quarantine({ layer: { digest: blob.digest } });
    for (const door of [blobOpen, blobHead, blobStat])
      await expect(door(catalog, name)).rejects.toMatchObject({
        code: 'quarantined',
        detail: { reason: 'a key is in it' },
      });
    await release();
    expect(await text(blobOpen(catalog, name))).toBe('0123456789');
  });

  it('is refused when its inspection found a marked diff id', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    const [layer] = image.layers;
    if (!layer) throw new Error('an image has a layer');
    const { diffId, digest } = layer;
    await catalog.database.transact((tx) =>
      tx.db.updateTable('inspections').set({ diff_id: diffId }).execute(),
    );
    await catalog.quarantine({ layer: { diffId } });
    const open = blobOpen(catalog, { repository: catalog.shop, digest });
    await expect(open).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('is not here once it is condemned', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    await catalog.database.transact((tx) => tx.db.updateTable('blobs').set({ state: 'condemned' }).execute());
    for (const door of [blobOpen, blobHead, blobStat])
      await expect(door(catalog, { repository: catalog.shop, digest: blob.digest })).rejects.toMatchObject({
        code: 'blobUnknown',
      });
  });

  it('that no manifest names is held by a HEAD, with one write in ten minutes', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    const name = { repository: catalog.shop, digest: blob.digest };
    catalog.clock.advance(limits.uploadHoldMs / 2);
    const first = catalog.clock.wallMs();
    await blobHead(catalog, name);
    expect(await holdEnds(catalog)).toContain(first + limits.uploadHoldMs + limits.holdExtendEveryMs);
    catalog.clock.advance(limits.holdExtendEveryMs - 1);
    await blobHead(catalog, name);
    expect(await holdEnds(catalog)).toContain(first + limits.uploadHoldMs + limits.holdExtendEveryMs);
    catalog.clock.advance(2);
    await blobHead(catalog, name);
    expect(Math.max(...(await holdEnds(catalog)))).toBeGreaterThan(
      catalog.clock.wallMs() + limits.uploadHoldMs,
    );
  });

  it('is not said to be here once the collector has taken it from this repository, whatever was read before', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    catalog.clock.advance(2 * limits.uploadHoldMs);
    const unlinks = () => catalog.database.transact((tx) => tx.db.deleteFrom('blob_links').execute());
    const database: Database = {
      ...catalog.database,
      transact: async (work) => {
        await unlinks();
        return catalog.database.transact(work);
      },
    };
    const head = blobHead({ ...catalog, database }, { repository: catalog.shop, digest: blob.digest });
    await expect(head).rejects.toMatchObject({ code: 'blobUnknown' });
  });

  it('that a manifest here names needs no hold at a HEAD', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    catalog.clock.advance(2 * limits.uploadHoldMs);
    await blobHead(catalog, { repository: catalog.shop, digest: image.config.digest });
    expect(Math.max(...(await holdEnds(catalog)))).toBeLessThan(catalog.clock.wallMs());
  });

  it('whose bytes are in another region is fetched, and unavailable when that fails', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    const name = { repository: catalog.shop, digest: blob.digest };
    const row = await catalog.database.read.selectFrom('blobs').selectAll().executeTakeFirstOrThrow();
    const place = (state: 'remote' | 'live', storage_key: string | null) =>
      catalog.database.transact((tx) => tx.db.updateTable('blobs').set({ state, storage_key }).execute());
    await place('remote', null);
    expect((await blobHead(catalog, name)).sizeBytes).toBe(10);
    await expect(blobOpen(catalog, name)).rejects.toMatchObject({ code: 'unavailable' });
    const cause = new LazaretError('unavailable', 'home does not answer');
    const failing = { ...catalog, fetchRemote: () => Promise.reject(cause) };
    await expect(blobOpen(failing, name)).rejects.toMatchObject({ code: 'unavailable', cause });
    const fetching = {
      ...catalog,
      fetchRemote: async () => {
        await place('live', row.storage_key);
      },
    };
    expect(await text(blobOpen(fetching, name))).toBe('0123456789');
  });
});

describeEngines('a manifest under a quarantine', (world) => {
  it('is refused at GET and at HEAD by digest; HEAD by tag says 200 or unknown', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image, 'latest');
    await catalog.quarantine({ layer: { digest: layerOf(image) } });
    const byTag = { repository: catalog.shop, reference: { tag: 'latest' } };
    const byDigest = { repository: catalog.shop, reference: { digest: image.manifest.digest } };
    for (const door of [
      () => manifestGet(catalog, byTag),
      () => manifestGet(catalog, byDigest),
      () => manifestHead(catalog, { ...byDigest, mayPush: false }),
      () => manifestHead(catalog, { ...byDigest, mayPush: true }),
    ])
      await expect(door()).rejects.toMatchObject({ code: 'quarantined' });
    const head = await manifestHead(catalog, { ...byTag, mayPush: false });
    expect(head).toMatchObject({ digest: image.manifest.digest, sizeBytes: image.manifest.size });
    expect(head.warnings).toEqual([expect.stringContaining('a key is in it')]);
    const pushing = manifestHead(catalog, { ...byTag, mayPush: true });
    await expect(pushing).rejects.toMatchObject({ code: 'manifestUnknown' });
  });

  it('of an account is refused in its repositories and served in others', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    const globexApp = parseRepositoryName('globex/app');
    await catalog.pushImage(image, 'latest');
    await catalog.pushImage(image, 'latest', globexApp);
    await catalog.quarantine({ layer: { digest: layerOf(image) }, account: 'acme' });
    const reference = { tag: 'latest' };
    const refused = manifestGet(catalog, { repository: catalog.shop, reference });
    await expect(refused).rejects.toMatchObject({ code: 'quarantined' });
    await manifestGet(catalog, { repository: globexApp, reference });
  });

  it('as one platform of an index warns; as the last one refuses the index', async () => {
    const catalog = await openCatalog(world);
    const [bad, good] = [await imageOf('bad'), await imageOf('good')];
    for (const image of [bad, good]) await catalog.pushImage(image);
    await catalog.put(indexOf(bad.manifest, good.manifest), { tag: 'all' });
    const name = { repository: catalog.shop, reference: { tag: 'all' } };
    await catalog.quarantine({ layer: { digest: layerOf(bad) } });
    const got = await manifestGet(catalog, name);
    expect(got.warnings).toEqual([`quarantined and not served: ${bad.manifest.digest}`]);
    const child = { repository: catalog.shop, reference: { digest: bad.manifest.digest } };
    await expect(manifestGet(catalog, child)).rejects.toMatchObject({ code: 'quarantined' });
    await catalog.quarantine({ layer: { digest: layerOf(good) } });
    await expect(manifestGet(catalog, name)).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('is refused while withdrawn and marked, unknown after the release, and there again with its bytes', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image, 'latest');
    const digest = layerOf(image);
    const name = { repository: catalog.shop, reference: { tag: 'latest' } };
    const release = await catalog.quarantine({ layer: { digest } });
    await catalog.condemn(digest);
    await catalog.database.transact((tx) =>
      tx.db.updateTable('repository_manifests').set({ withdrawn_at: tx.nowMs }).execute(),
    );
    await expect(manifestGet(catalog, name)).rejects.toMatchObject({ code: 'quarantined' });
    await release();
    await expect(manifestGet(catalog, name)).rejects.toMatchObject({ code: 'manifestUnknown' });
    for (const layer of image.layers) await catalog.pushBlob(layer);
    expect((await manifestGet(catalog, name)).digest).toBe(image.manifest.digest);
    expect((await catalog.eventTypes()).at(-1)).toBe('manifest.pushed');
  });
});

describeEngines('lists', (world) => {
  it('of tags come in pages, sorted by code unit, also of what is quarantined', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    for (const tag of ['b', 'B', 'a', '_', '1']) await catalog.put(image.manifest, { tag });
    await catalog.quarantine({ layer: { digest: layerOf(image) } });
    const repository = catalog.shop;
    expect(await tagList(catalog, { repository })).toEqual({
      items: ['1', 'B', '_', 'a', 'b'],
      last: undefined,
    });
    expect(await tagList(catalog, { repository, n: 2 })).toEqual({ items: ['1', 'B'], last: 'B' });
    expect(await tagList(catalog, { repository, n: 3, last: 'B' })).toEqual({
      items: ['_', 'a', 'b'],
      last: undefined,
    });
    expect(await tagList(catalog, { repository, n: 0 })).toEqual({ items: [], last: undefined });
    const unknown = { repository: parseRepositoryName('acme/none') };
    await expect(tagList(catalog, unknown)).rejects.toMatchObject({ code: 'nameUnknown' });
  });

  it('of referrers name what is attached, by type, also to what is not here', async () => {
    const catalog = await openCatalog(world);
    const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    await catalog.pushBlob(empty);
    const subject = { mediaType: mediaTypes.manifest, digest: digestOf('absent'), size: 6 };
    const attach = async (artifactType: string) => {
      const members = {
        artifactType,
        config: descriptor(empty),
        layers: [],
        subject,
        annotations: { a: 'b' },
      };
      const manifest = jsonContent(mediaTypes.manifest, {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        ...members,
      });
      await catalog.put(manifest);
      return { digest: manifest.digest, artifactType, annotations: { a: 'b' }, sizeBytes: manifest.size };
    };
    const [sbom, vex] = [await attach('test/sbom'), await attach('test/vex')];
    const ask = { repository: catalog.shop, digest: subject.digest };
    const { items } = await referrerList(catalog, ask);
    const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1);
    expect(items).toMatchObject([sbom, vex].sort(byDigest));
    expect((await referrerList(catalog, { ...ask, artifactType: 'test/vex' })).items).toMatchObject([vex]);
    const page = await referrerList(catalog, { ...ask, n: 1 });
    expect(await referrerList(catalog, { ...ask, last: page.last })).toMatchObject({ items: items.slice(1) });
    const unknown = { ...ask, repository: parseRepositoryName('acme/none') };
    expect((await referrerList(catalog, unknown)).items).toEqual([]);
  });

  it('of repositories show what the caller may see', async () => {
    const catalog = await openCatalog(world);
    for (const name of ['acme/b', 'acme/a', 'globex/a'])
      await catalog.pushBlob(blob, parseRepositoryName(name));
    const visible = (name: string) => name.startsWith('acme/');
    expect(await catalogList(catalog, { visible, n: 1 })).toEqual({ items: ['acme/a'], last: 'acme/a' });
    expect(await catalogList(catalog, { visible, last: 'acme/a' })).toEqual({
      items: ['acme/b'],
      last: undefined,
    });
  });
});

async function text(open: ReturnType<typeof blobOpen>): Promise<string> {
  return (await collect((await open).stream, 1_000)).toString();
}

function layerOf(image: Image) {
  return image.layers[0]?.digest ?? image.config.digest;
}

async function holdEnds({ database }: Catalog): Promise<number[]> {
  const rows = await database.read.selectFrom('holds').select('expires_at').execute();
  return rows.map((row) => row.expires_at).filter((end) => end !== null);
}
