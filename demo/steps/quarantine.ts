import assert from 'node:assert/strict';
import { buildImage, type Layer } from '../../test/support/oci-layout.ts';
import { assertAllRefused, assertRefused, assertServed } from '../doors.ts';
import { criteriaFile, recompress } from '../images.ts';
import { withoutBlobs } from '../region.ts';
import { shortPath } from '../repository.ts';
import type { DemoEvent, Story } from '../story.ts';
import type { Cast } from './push.ts';

export const reason = 'lodash before 4.17.21 executes what a template says';

/** 5: a request, answered from metadata: the layer becomes un-referenceable. @returns the quarantine's name */
export async function quarantineByRequest(story: Story, cast: Cast): Promise<string> {
  const { narrator, world } = story;
  const { home, away } = world;
  const plan = await withoutBlobs(home, () =>
    withoutBlobs(away, () =>
      narrator.check('the search finds the layer while no region has a blob folder', () =>
        planned(story, 'acme/shop:1'),
      ),
    ),
  );
  const quarantine = await applied(story, plan);
  for (const region of [home, away])
    await narrator.check(
      `${region.name}: GET by tag, GET and HEAD by digest and of the layer are refused`,
      () => {
        const registry = story.registry(region, world.people.acme, 'acme/shop');
        const { shop: image, vulnerable: layer } = cast;
        return assertAllRefused(registry, { image, layer, tag: '1', reason: quarantine });
      },
      ({ status, code, message }) => `${status} ${code}: ${message}`,
    );
  await assertNotReferenceable(story, cast, quarantine);
  await pushFix(story, cast);
  return quarantine;
}

/** Searches `reference` for the old lodash and makes a plan of what was found. @returns the plan's name */
export async function planned({ world }: Story, reference: string): Promise<string> {
  const criteria = ['--criteria', shortPath(criteriaFile('lodash'))];
  const effect = ['--effect', 'quarantine', '--reach', 'layer'];
  const { stdout } = await world.people.security.lazaret(
    world.home,
    ['scan', reference, ...criteria, ...effect],
    { exitCodes: [2] }, // found
  );
  assert.match(stdout, /quarantine 1 layer/);
  assert.match(stdout, /regions (?:home, away|away, home)/);
  return named(stdout, /\bP-\d+/);
}

/** Applies a plan and waits for every region to acknowledge it. @returns the quarantine's name */
export async function applied(story: Story, plan: string): Promise<string> {
  const { narrator, world } = story;
  const { home, people } = world;
  const args = ['quarantine', 'apply', plan, '--reason', reason, '--ticket', 'INC-42', '--wait'];
  const { stdout } = await narrator.check(`${plan} is applied; both regions have acknowledged it`, () =>
    people.security.lazaret(home, args),
  );
  const quarantine = named(stdout, /\bQ-\d+/);
  const { at } = await changed(story, 'quarantine.set', quarantine);
  narrator.moment('home', `${quarantine} was set: every door refuses the layer`, { at });
  return quarantine;
}

const changeTexts = {
  'quarantine.set': 'binds here too',
  'quarantine.released': 'is lifted here too',
  'quarantine.destroyed': 'is given up here too',
} as const;

/** The event of a quarantine in home; when away acknowledged it is told in the timeline. */
export async function changed(
  story: Story,
  type: keyof typeof changeTexts,
  quarantine: string,
): Promise<DemoEvent> {
  const { narrator, world } = story;
  const event = await story.event(world.home, type, ({ subject }) => subject === quarantine);
  const { uid, version } = event.data;
  const seen = await story.event(
    world.home,
    'quarantine.acknowledged',
    ({ origin, data }) =>
      origin === world.away.name && data.quarantine === uid && Number(data.version) >= Number(version),
  );
  narrator.moment('away', `${quarantine} ${changeTexts[type]}`, {
    at: seen.at,
    tookMs: seen.at - event.at,
  });
  return event;
}

function named(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[0];
  assert.ok(found, `no name like ${pattern} in: ${text}`);
  return found;
}

async function assertNotReferenceable(story: Story, cast: Cast, quarantine: string): Promise<void> {
  const { narrator, world } = story;
  const again: readonly [string, () => Promise<Layer> | Layer][] = [
    ['the layer', () => cast.vulnerable],
    ['it compressed harder', () => recompress(cast.vulnerable, { gzipLevel: 9 })],
    ['it as zstd', () => recompress(cast.vulnerable, { compression: 'zstd' })],
  ];
  const shop = story.registry(world.home, world.people.acme, 'acme/shop');
  for (const [what, make] of again)
    await narrator.check(
      `home: a new manifest that names ${what} is refused`,
      async () => {
        const layer = await make();
        const image = buildImage({ layers: [cast.base, layer], config: { Cmd: ['/usr/local/bin/node'] } });
        if (layer !== cast.vulnerable) await shop.pushBlob(layer);
        await shop.pushBlob(image.config);
        return assertRefused(await shop.putManifest(image.manifest, 'again'), quarantine);
      },
      ({ status, message }) => `${status}: ${message}`,
    );
}

async function pushFix(story: Story, { base, fixedShop }: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, away, people } = world;
  await narrator.check('acme pushes the fixed image under the same tag, on the same base', async () => {
    const shop = story.registry(home, people.acme, 'acme/shop');
    await assertServed(shop, base);
    await shop.pushImage(fixedShop, '1');
  });
  narrator.moment('home', 'the fixed image was pushed as acme/shop:1');
  for (const region of [home, away])
    await narrator.check(`${region.name}: it is pulled by its tag, every digest verified`, () =>
      story.until(`acme/shop:1 to be the fixed image in ${region.name}`, () =>
        story.registry(region, people.acme, 'acme/shop').pullImage(fixedShop, '1'),
      ),
    );
}
