import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { listens } from '../app-client.ts';
import { assertRefused } from '../doors.ts';
import { millisText } from '../narrator.ts';
import { storedCopies } from '../region.ts';
import type { Story } from '../story.ts';
import { answering, deploymentName } from './launch.ts';
import type { Cast } from './push.ts';
import { applied, changed, planned } from './quarantine.ts';
import { stopped } from './revoke.ts';

/** 6: undone, and then done for good. @returns the name of the quarantine that destroyed the layer */
export async function undoThenDestroy(story: Story, cast: Cast, first: string): Promise<string> {
  await undo(story, cast, first);
  const second = await quarantineAgain(story, cast);
  const finishPush = await beginSecondPush(story, cast);
  const decidedAt = await destroy(story, second);
  await assertCollected(story, cast, decidedAt);
  await finishPush();
  await assertRestIsThere(story, cast, second);
  return second;
}

async function undo(story: Story, { shop }: Cast, quarantine: string): Promise<void> {
  const { narrator, world } = story;
  const { home, away, people } = world;
  await narrator.check('the quarantine is released, in both regions', () =>
    people.security.lazaret(home, ['quarantine', 'release', quarantine, '--reason', 'a drill', '--wait']),
  );
  const { at } = await changed(story, 'quarantine.released', quarantine);
  narrator.moment('home', `${quarantine} was released`, { at });
  for (const region of [home, away])
    await narrator.check(`${region.name}: the first image pulls by digest again`, () =>
      story.registry(region, people.acme, 'acme/shop').pullImage(shop, shop.manifest.digest),
    );
  await narrator.check('acme restores what was stopped; the first image runs again', async () => {
    const args = ['deploy', 'restore', deploymentName, '--reason', 'our templates are our own'];
    await people.acme.lazaret(home, args);
    await answering(story, '4.17.20');
  });
  narrator.moment('away', 'the first image ran again');
}

async function quarantineAgain(story: Story, { shop }: Cast): Promise<string> {
  const { narrator, world } = story;
  const plan = await narrator.check('it is searched for once more, now by digest', () =>
    planned(story, `acme/shop@${shop.manifest.digest}`),
  );
  const quarantine = await applied(story, plan);
  const set = await story.event(world.home, 'quarantine.set', ({ subject }) => subject === quarantine);
  const at = await narrator.check(
    'its deployment asked to end at a quarantine: the container has ended',
    async () => {
      const stoppedAt = await stopped(story, set.at);
      assert.equal(await listens(world.appPort), false);
      return stoppedAt;
    },
    (stoppedAt) => `${millisText(stoppedAt - set.at)} after the quarantine`,
  );
  narrator.moment('away', 'the container had ended, as its deployment asked', { at, tookMs: at - set.at });
  return quarantine;
}

/** Begins to push the second image, and stops in the middle of a layer. @returns what finishes the push */
async function beginSecondPush(story: Story, { base, portal }: Cast): Promise<() => Promise<void>> {
  const { narrator, world } = story;
  const registry = story.registry(world.home, world.people.acme, 'acme/portal');
  const own = portal.layers.find((layer) => layer !== base) ?? base;
  const middle = Math.floor(own.size / 2);
  const upload = await narrator.check('a second image over the same base begins to be pushed', async () => {
    await registry.pushBlob(base);
    return registry.appendUpload(await registry.beginUpload(), own.bytes.subarray(0, middle));
  });
  return async () => {
    await narrator.check('the push of the second image goes on from where it was, and ends', async () => {
      await registry.finishUpload(
        await registry.appendUpload(upload, own.bytes.subarray(middle)),
        own.digest,
      );
      await registry.pushImage(portal, '1');
    });
    narrator.moment('home', 'acme/portal:1 was pushed meanwhile');
  };
}

/** @returns when it was decided, in milliseconds since 1970 */
async function destroy(story: Story, quarantine: string): Promise<number> {
  const { narrator, world } = story;
  const { home, people } = world;
  const { stdout } = await narrator.check('what destroying it would take is planned', () =>
    people.security.lazaret(home, ['quarantine', 'destroy', quarantine]),
  );
  const plan = /\bP-\d+/.exec(stdout)?.[0] ?? '';
  await narrator.check('the plan is applied, and answered at once', () =>
    people.security.lazaret(home, ['quarantine', 'apply', plan, '--reason', 'no use of it is left']),
  );
  const { at } = await changed(story, 'quarantine.destroyed', quarantine);
  narrator.moment('home', `${quarantine}: its bytes were given up`, { at });
  return at;
}

async function assertCollected(story: Story, { vulnerable }: Cast, decidedAt: number): Promise<void> {
  const { narrator, world } = story;
  for (const region of [world.home, world.away]) {
    const { at } = await narrator.check(
      `${region.name}: the collector has deleted the bytes of the layer`,
      async () => {
        const collected = await story.event(region, 'blobs.collected', ({ data }) =>
          JSON.stringify(data.digests).includes(vulnerable.digest),
        );
        assert.deepEqual(await storedCopies(region, vulnerable), []);
        return collected;
      },
      (event) => `${millisText(event.at - decidedAt)} after the request`,
    );
    narrator.moment(region.name, 'the bytes of the layer were gone', { at, tookMs: at - decidedAt });
  }
}

async function assertRestIsThere(story: Story, cast: Cast, quarantine: string): Promise<void> {
  const { narrator, world } = story;
  const { acme } = world.people;
  const { base, portal, shop: image, vulnerable } = cast;
  for (const region of [world.home, world.away]) {
    await narrator.check(`${region.name}: the shared base is still there, once`, async () => {
      const [file, ...more] = await storedCopies(region, base);
      assert.ok(file !== undefined && more.length === 0);
      assert.equal((await readFile(file)).length, base.size);
    });
    await narrator.check(`${region.name}: the second image pulls intact`, () =>
      story.until(`acme/portal:1 in ${region.name}`, () =>
        story.registry(region, acme, 'acme/portal').pullImage(portal, '1'),
      ),
    );
    await narrator.check(
      `${region.name}: the first image stays refused, and its layer is not served`,
      async () => {
        const shop = story.registry(region, acme, 'acme/shop');
        assert.ok([403, 404].includes((await shop.blob(vulnerable.digest)).status));
        return assertRefused(await shop.manifest(image.manifest.digest), quarantine);
      },
      ({ status, message }) => `${status}: ${message}`,
    );
  }
}
