import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Catalog, imageOf, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import { parseDigest } from '../../oci/digest.ts';
import { blobNeeds, blobVerdict } from '../../records/collection/blob-needs.ts';
import { manifestDelete } from './delete.ts';
import { manifestPut } from './manifest-put.ts';
import { type Sparse, sparsePolicy } from './sparse.ts';

describe('a policy about sparse manifests', () => {
  it('takes the first rule that matches, and lets an index lack children where none does', () => {
    const sparseOf = sparsePolicy([
      { repositoryGlob: 'mirror/**', sparse: 'all' },
      { repositoryGlob: '*/strict', sparse: 'refuse' },
    ]);
    expect(['mirror/strict', 'acme/strict', 'acme/shop'].map(sparseOf)).toEqual(['all', 'refuse', 'index']);
  });
});

describeEngines('a sparse manifest', (world) => {
  it('is refused by its missing children, where nothing may be missing, until they are there', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('child');
    const index = indexOf(image.manifest);
    const refused = put(catalog, index, 'refuse');
    await expect(refused).rejects.toMatchObject({
      code: 'manifestBlobUnknown',
      detail: { digests: [image.manifest.digest] },
    });
    await catalog.pushImage(image);
    await put(catalog, index, 'refuse');
    await put(catalog, indexOf(index), 'refuse');
  });

  it('may be an index whose children come later, by either digest, and are kept by it', async () => {
    const catalog = await openCatalog(world);
    const image = await imageOf('late');
    const sha512 = sha512Of(image.manifest.bytes);
    const index = jsonContent(mediaTypes.index, {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [{ ...descriptor(image.manifest), digest: sha512 }],
    });
    await put(catalog, index, 'index');
    for (const blob of [image.config, ...image.layers]) await catalog.pushBlob(blob);
    await catalog.put(image.manifest, { digest: sha512 });
    const { shop: repository } = catalog;
    const deletion = manifestDelete(catalog, { repository, principal: someone, digest: sha512 });
    await expect(deletion).rejects.toMatchObject({
      code: 'manifestReferenced',
      detail: { referencedBy: [index.digest] },
    });
  });

  it('may be an image only where layers may be missing; they are read when they come', async () => {
    const catalog = await openCatalog(world);
    const bottom = await buildLayer([{ path: 'a', content: 'a' }]);
    const top = await buildLayer([{ path: 'b', content: 'b' }]);
    const image = buildImage({ layers: [bottom, top] });
    for (const blob of [image.config, bottom]) await catalog.pushBlob(blob);
    await expect(put(catalog, image.manifest, 'index')).rejects.toMatchObject({
      code: 'manifestBlobUnknown',
    });
    await put(catalog, image.manifest, 'all');
    expect(await layersWanted(catalog)).toEqual([bottom.digest]);
    await catalog.pushBlob(top);
    expect(await layersWanted(catalog)).toEqual([bottom.digest, top.digest].sort());
    const needs = await blobNeeds(catalog.database.read, top.digest, catalog.clock.wallMs());
    expect(blobVerdict(needs)).toMatchObject({ kind: 'needed' });
  });

  it('keeps the blobs that an index names without being manifests, as a build cache does', async () => {
    const catalog = await openCatalog(world);
    const cached = content('application/vnd.oci.image.layer.v1.tar+gzip', Buffer.from('cached'));
    await catalog.pushBlob(cached);
    await put(catalog, indexOf(cached), 'refuse');
    const needs = await blobNeeds(catalog.database.read, cached.digest, catalog.clock.wallMs());
    expect(blobVerdict(needs)).toMatchObject({ kind: 'needed' });
  });
});

function put(catalog: Catalog, manifest: Content, sparse: Sparse) {
  const { bytes, digest, mediaType: contentType } = manifest;
  const asked = { repository: catalog.shop, reference: { digest }, bytes, contentType, principal: someone };
  return manifestPut({ ...catalog, sparse: () => sparse }, asked);
}

async function layersWanted({ database }: Catalog): Promise<string[]> {
  const rows = await database.read
    .selectFrom('inspections')
    .innerJoin('blobs', 'blobs.id', 'inspections.blob_id')
    .innerJoin('jobs', 'jobs.key', 'blobs.digest')
    .select('blobs.digest')
    .where('inspections.state', '=', 'pending')
    .execute();
  return rows.map((row) => row.digest).sort();
}

function sha512Of(bytes: Uint8Array) {
  return parseDigest(`sha512:${createHash('sha512').update(bytes).digest('hex')}`);
}
