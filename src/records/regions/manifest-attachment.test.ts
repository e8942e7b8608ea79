import { expect, it } from 'vitest';
import { imageOf, openCatalog } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { buildImage } from '../../../test/support/oci-layout.ts';
import { digestOf } from '../../oci/digest.ts';
import { logRead } from '../log/log.ts';
import { attachmentOf } from './manifest-attachment.ts';

describeEngines('the attachment of manifest.pushed', (world) => {
  /** An image was pushed; the event that says so. */
  async function pushed(text: string) {
    const catalog = await openCatalog(world);
    const image = await imageOf(text);
    await catalog.pushImage(image, '1');
    const events = await logRead(catalog.database.read, { after: 0, limit: 100, lane: 'content' });
    const event = events.find(({ type }) => type === 'manifest.pushed');
    if (!event) throw new Error('a push has its event');
    return { catalog, image, event };
  }

  it('names each blob that the manifest needs', async () => {
    const { catalog, image, event } = await pushed('whole');
    const attachment = await attachmentOf(catalog.database.read, event);
    expect(attachment?.whole).toBe(true);
    expect(attachment?.blobs.map(({ digest }) => digest).sort()).toEqual(
      [image.config, ...image.layers].map(({ digest }) => digest).sort(),
    );
  });

  it('is not whole once a blob of the manifest was condemned', async () => {
    const { catalog, image, event } = await pushed('withdrawn');
    const [layer] = image.layers;
    if (!layer) throw new Error('an image has a layer');
    await catalog.condemn(layer.digest);
    expect(await attachmentOf(catalog.database.read, event)).toMatchObject({
      whole: false,
      blobs: [{ digest: image.config.digest }],
    });
  });

  it('does not wait for a layer that need not be pushed', async () => {
    const catalog = await openCatalog(world);
    const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const bytes = Buffer.from('elsewhere');
    const foreign = {
      mediaType,
      bytes,
      digest: digestOf(bytes),
      size: bytes.length,
      diffId: digestOf(bytes),
    };
    const image = buildImage({ layers: [foreign] });
    await catalog.pushBlob(image.config);
    await catalog.put(image.manifest);
    const [event] = await logRead(catalog.database.read, { after: 0, limit: 100, lane: 'content' });
    if (!event) throw new Error('a push has its event');
    expect(await attachmentOf(catalog.database.read, event)).toMatchObject({
      whole: true,
      blobs: [{ digest: image.config.digest }],
    });
  });
});
