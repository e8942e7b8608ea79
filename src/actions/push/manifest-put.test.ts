import { expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import {
  buildImage,
  buildLayer,
  content,
  descriptor,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { manifestGet } from '../pull/manifest-get.ts';
import { manifestDelete } from './delete.ts';
import { manifestPut } from './manifest-put.ts';

describeEngines('pushing a manifest', (world) => {
  it('makes the image visible by tag and digest, byte for byte', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image, 'latest');
    for (const reference of [{ tag: 'latest' }, { digest: image.manifest.digest }]) {
      const got = await manifestGet(catalog, { repository: catalog.shop, reference });
      expect(Buffer.from(got.body)).toEqual(Buffer.from(image.manifest.bytes));
      expect(got).toMatchObject({
        digest: image.manifest.digest,
        mediaType: mediaTypes.manifest,
        warnings: [],
      });
    }
    expect(await catalog.eventTypes()).toEqual(['manifest.pushed', 'tag.set']);
  });

  it('keeps what the image needs, with the diff ids that its config claims, and asks for its inspection', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    const edges = await catalog.database.read
      .selectFrom('edges')
      .select(['kind', 'digest', 'diff_id'])
      .execute();
    expect(edges).toContainEqual({ kind: 'config', digest: image.config.digest, diff_id: null });
    const [layer] = image.layers;
    expect(edges).toContainEqual({ kind: 'layer', digest: layer?.digest, diff_id: layer?.diffId });
    const jobs = await catalog.database.read.selectFrom('jobs').select(['kind', 'key', 'payload']).execute();
    const payload = JSON.stringify({ digest: layer?.digest, mediaType: layer?.mediaType });
    expect(jobs).toEqual([{ kind: 'inspect', key: layer?.digest, payload }]);
    expect(await states(catalog)).toEqual({ images: ['pending'], inspections: ['pending'] });
  });

  it('of an artifact asks for no inspection', async () => {
    const catalog = await openCatalog(world);
    const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    const sbom = content('application/spdx+json', Buffer.from('{"spdxVersion":"SPDX-2.3"}'));
    for (const blob of [empty, sbom]) await catalog.pushBlob(blob);
    await catalog.put(
      manifestOf({ config: descriptor(empty), layers: [descriptor(sbom)], artifactType: 'a/b' }),
    );
    expect(await states(catalog)).toEqual({ images: ['notApplicable'], inspections: [] });
  });

  it.each([
    [
      'an attestation',
      { os: 'unknown', architecture: 'unknown' },
      'application/vnd.in-toto+json',
      'artifact',
    ],
    [
      'a signature',
      { os: '', architecture: '' },
      'application/vnd.dev.cosign.simplesigning.v1+json',
      'artifact',
    ],
    ['an image for nowhere', { os: '', architecture: '' }, mediaTypes.layer, 'image'],
    ['an image of no known layers', { os: 'linux', architecture: 'amd64' }, 'a/b', 'image'],
  ] as const)("with an image's config may be an artifact: %s", async (_what, platform, mediaType, kind) => {
    const catalog = await openCatalog(world);
    const layer = content(mediaType, Buffer.from('{}'));
    const rootfs = { type: 'layers', diff_ids: [layer.digest] };
    const config = jsonContent(mediaTypes.config, { ...platform, config: {}, rootfs });
    for (const blob of [config, layer]) await catalog.pushBlob(blob);
    await catalog.put(manifestOf({ config: descriptor(config), layers: [descriptor(layer)] }));
    const rows = await catalog.database.read.selectFrom('manifests').select(['kind', 'platform']).execute();
    const { os, architecture } = platform;
    expect(rows).toEqual([{ kind, platform: os === '' ? null : `${os}/${architecture}` }]);
    // What it holds is looked at in any case.
    expect(await states(catalog)).toEqual({ images: ['pending'], inspections: ['pending'] });
  });

  it('names every blob that is not in the repository, also one that another repository has', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image, 'latest', parseRepositoryName('acme/other'));
    const digests = [image.config.digest, image.layers[0]?.digest];
    await expect(catalog.put(image.manifest)).rejects.toMatchObject({
      code: 'manifestBlobUnknown',
      detail: { digest: digests[0], digests },
    });
    await catalog.pushBlob(image.config);
    for (const layer of image.layers) await catalog.pushBlob(layer);
    await catalog.put(image.manifest);
  });

  it('is told that a condemned layer is not there', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    const [layer] = image.layers;
    if (!layer) throw new Error('an image has a layer');
    for (const blob of [image.config, layer]) await catalog.pushBlob(blob);
    await catalog.condemn(layer.digest);
    await expect(catalog.put(image.manifest)).rejects.toMatchObject({ code: 'manifestBlobUnknown' });
    await catalog.pushBlob(layer);
    await catalog.put(image.manifest);
  });

  it('takes a layer that need not be pushed from elsewhere', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushBlob(image.config);
    const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const layers = image.layers.map((layer) => ({ ...descriptor(layer), mediaType }));
    await catalog.put(manifestOf({ config: descriptor(image.config), layers }));
  });

  it.each([
    ['is no JSON', Buffer.from('{'), 'manifestInvalid'],
    ['is over 4 MiB', Buffer.alloc(limits.manifestBytesMax + 1, ' '), 'manifestTooLarge'],
  ])('is refused when it %s', async (_case, bytes, code) => {
    const catalog = await openCatalog(world);
    await expect(catalog.put(content(mediaTypes.manifest, bytes))).rejects.toMatchObject({ code });
  });

  it('is refused when it does not have the digest that it is put under', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    const put = catalog.put(image.manifest, { digest: digestOf('other') });
    await expect(put).rejects.toMatchObject({ code: 'digestInvalid' });
  });

  it.each([
    ['no JSON', 'not json'],
    [
      'broken diff ids',
      JSON.stringify({ architecture: 'a', os: 'b', rootfs: { type: 'layers', diff_ids: ['x'] } }),
    ],
  ])('is refused when its image config has %s', async (_case, text) => {
    const catalog = await openCatalog(world);
    const config = content(mediaTypes.config, Buffer.from(text));
    await catalog.pushBlob(config);
    const put = catalog.put(manifestOf({ config: descriptor(config), layers: [] }));
    await expect(put).rejects.toMatchObject({ code: 'manifestInvalid', detail: { digest: config.digest } });
  });

  it('is refused when it gives a blob another size', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    for (const blob of [image.config, ...image.layers]) await catalog.pushBlob(blob);
    const config = { ...descriptor(image.config), size: 1 };
    const put = catalog.put(manifestOf({ config, layers: image.layers.map(descriptor) }));
    await expect(put).rejects.toMatchObject({ code: 'manifestInvalid' });
  });

  it('by digest may set tags, and by a tag that names another manifest has that one reviewed', async () => {
    const catalog = await openCatalog(world);
    const [one, two] = [await imageOf('one'), await imageOf('two')];
    await catalog.pushImage(one, 'latest');
    await catalog.pushImage(two);
    const { manifest } = two;
    const put = { repository: catalog.shop, reference: { digest: manifest.digest }, bytes: manifest.bytes };
    const answer = await manifestPut(catalog, { ...put, tags: ['2', 'latest'], principal: someone });
    expect(answer).toEqual({ digest: manifest.digest, tags: ['2', 'latest'], subject: undefined });
    const review = await catalog.database.read
      .selectFrom('review_queue')
      .select(['digest', 'reason'])
      .where('kind', '=', 'manifest')
      .execute();
    expect(review).toEqual([{ digest: one.manifest.digest, reason: 'tag latest moved' }]);
  });

  it('brings a deleted manifest back', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image, 'latest');
    const name = { repository: catalog.shop, digest: image.manifest.digest };
    await manifestDelete(catalog, { ...name, principal: someone });
    await catalog.put(image.manifest);
    const got = await manifestGet(catalog, { repository: catalog.shop, reference: { digest: name.digest } });
    expect(got.sizeBytes).toBe(image.manifest.size);
  });

  it('keeps one manifest when many push it at once', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((tag) => catalog.put(image.manifest, { tag })));
    expect(await catalog.database.read.selectFrom('manifests').select('id').execute()).toHaveLength(1);
    expect(await catalog.database.read.selectFrom('tags').select('name').execute()).toHaveLength(5);
  });
});

describeEngines('pushing a manifest under a quarantine', (world) => {
  it('is refused for a marked layer, config or manifest, and leaves nothing behind', async () => {
    const image = await imageOf('one');
    const marked = [image.config.digest, image.layers[0]?.digest, image.manifest.digest];
    for (const digest of marked) {
      const catalog = await openCatalog(world);
      for (const blob of [image.config, ...image.layers]) await catalog.pushBlob(blob);
      const mark = digest === image.manifest.digest ? { manifest: digest } : { layer: { digest } };
      const release = await catalog.quarantine(mark);
      await expect(catalog.put(image.manifest, { tag: 'x' })).rejects.toMatchObject({ code: 'quarantined' });
      expect(await catalog.database.read.selectFrom('manifests').selectAll().execute()).toEqual([]);
      await release();
      await catalog.put(image.manifest, { tag: 'x' });
    }
  });

  it('is refused for the layer under another compression', async () => {
    const catalog = await openCatalog(world);
    const entries = [{ path: 'key', content: 'secret' }];
    const marked = await buildLayer(entries);
    await catalog.quarantine({ layer: { digest: marked.digest, diffId: marked.diffId } });
    const again = buildImage({ layers: [await buildLayer(entries, { compression: 'zstd' })] });
    await expect(catalog.pushImage(again, 'again')).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('is refused for an index that names it, at any depth', async () => {
    const catalog = await openCatalog(world);
    const [bad, good] = [await imageOf('bad'), await imageOf('good')];
    await catalog.pushImage(bad);
    await catalog.pushImage(good);
    const inner = indexOf(bad.manifest, good.manifest);
    await catalog.put(inner, { tag: 'inner' });
    await catalog.quarantine({ layer: { digest: bad.layers[0]?.digest ?? bad.config.digest } });
    await expect(catalog.put(indexOf(bad.manifest))).rejects.toMatchObject({ code: 'quarantined' });
    await expect(catalog.put(indexOf(inner))).rejects.toMatchObject({ code: 'quarantined' });
    await catalog.put(indexOf(good.manifest), { tag: 'good' });
  });

  it('is accepted for what names it only as its subject', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    await catalog.pushImage(image);
    await catalog.quarantine({ layer: { digest: image.layers[0]?.digest ?? image.config.digest } });
    const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    await catalog.pushBlob(empty);
    const vex = { config: descriptor(empty), layers: [descriptor(empty)], artifactType: 'application/vex' };
    await catalog.put(manifestOf({ ...vex, subject: descriptor(image.manifest) }));
  });

  it('is decided by the account of the repository', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('one');
    for (const blob of [image.config, ...image.layers]) await catalog.pushBlob(blob);
    const layer = { digest: image.layers[0]?.digest ?? image.config.digest };
    await catalog.quarantine({ layer, account: 'acme' });
    await catalog.pushImage(image, 'latest', parseRepositoryName('globex/app'));
    await expect(catalog.put(image.manifest)).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('accepts an index whose children are not here', async () => {
    const catalog = await openCatalog(world);
    await catalog.put(indexOf((await imageOf('absent')).manifest), { tag: 'sparse' });
  });
});

function manifestOf(members: Readonly<Record<string, unknown>>) {
  return jsonContent(mediaTypes.manifest, { schemaVersion: 2, mediaType: mediaTypes.manifest, ...members });
}

async function states({ database }: Catalog) {
  const images = await database.read.selectFrom('images').select('state').execute();
  const inspections = await database.read.selectFrom('inspections').select('state').execute();
  return { images: images.map((row) => row.state), inspections: inspections.map((row) => row.state) };
}
