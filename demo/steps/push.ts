import assert from 'node:assert/strict';
import { sizeText } from '../../src/cli/words.ts';
import { eventCriteriaMediaType } from '../../src/criteria/event-criteria.ts';
import type { Image, Layer } from '../../test/support/oci-layout.ts';
import { buildBaseLayer } from '../base-layer.ts';
import { type Attachment, buildApp, buildEventCriteria } from '../images.ts';
import { buildModulesLayer } from '../modules-layer.ts';
import type { Registry } from '../registry.ts';
import type { Story } from '../story.ts';

export interface Cast {
  readonly shop: Image;
  /** What its owner attached to it. */
  readonly eventCriteria: Attachment;
  readonly base: Layer;
  /** `node_modules` with lodash 4.17.20: what all of this is about. */
  readonly vulnerable: Layer;
  /** The shop with the newest lodash, over the same base. */
  readonly fixedShop: Image;
  /** Another image over the same base. */
  readonly portal: Image;
}

/** 1: a real image, and with it the event criteria of its owner. */
export async function pushImage(story: Story): Promise<Cast> {
  const { narrator, world } = story;
  const { home, people } = world;
  const cast = await buildCast(story);
  const shop = story.registry(home, people.acme, 'acme/shop');
  await narrator.check(
    'acme pushes acme/shop:1 to home through the distribution API',
    () => shop.pushImage(cast.shop, '1'),
    ({ sentBytes }) => sizeText(sentBytes),
  );
  narrator.moment('home', 'acme/shop:1 was pushed by acme');
  await narrator.check(
    'with it, as a referrer, go its event criteria: a fixable advisory ≥ high → stop',
    () => pushAttachment(shop, cast.eventCriteria),
  );
  await narrator.check(
    'what comes back is what was pushed, every digest verified',
    () => shop.pullImage(cast.shop, '1'),
    sizeText,
  );
  await narrator.check('the referrers of the image name the event criteria', () =>
    assertReferrer(shop, cast),
  );
  await narrator.check(
    'globex, who was granted nothing, is told that there is no such repository',
    async () => {
      const { status } = await story.registry(home, people.globex, 'acme/shop').manifest('1');
      assert.equal(status, 404);
    },
  );
  return cast;
}

/** The images of the demo. */
export async function buildCast({ narrator, world, signal }: Story): Promise<Cast> {
  const { folder } = world;
  const { layer: base } = await narrator.check(
    "a base layer is made of this machine's node and the libraries that ldd names",
    buildBaseLayer,
    ({ layer, libraries }) =>
      `${sizeText(layer.size)}, node ${process.version}, ${libraries.length} libraries`,
  );
  const vulnerable = await narrator.check(
    'npm installs lodash 4.17.20, checked against its pinned hash; that is the next layer',
    () => buildModulesLayer({ kind: 'vulnerable', folder, signal }),
    (layer) => sizeText(layer.size),
  );
  const fixed = await narrator.check(
    'npm installs the newest lodash, for the fix',
    () => buildModulesLayer({ kind: 'fixed', folder, signal }),
    (layer) => sizeText(layer.size),
  );
  const shop = await buildApp('shop', [base, vulnerable]);
  return {
    shop,
    eventCriteria: await buildEventCriteria(shop.manifest),
    base,
    vulnerable,
    fixedShop: await buildApp('shop', [base, fixed]),
    portal: await buildApp('portal', [base, fixed]),
  };
}

export async function pushAttachment(registry: Registry, { manifest, blobs }: Attachment): Promise<void> {
  for (const blob of blobs) await registry.pushBlob(blob);
  await registry.pushManifest(manifest);
}

async function assertReferrer(registry: Registry, { shop, eventCriteria }: Cast): Promise<void> {
  const { status, body } = await registry.referrers(shop.manifest.digest);
  assert.equal(status, 200);
  const index: unknown = JSON.parse(body.toString());
  const expected = { artifactType: eventCriteriaMediaType, digest: eventCriteria.manifest.digest };
  assert.partialDeepStrictEqual(index, { manifests: [expected] });
}
