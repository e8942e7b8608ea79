import assert from 'node:assert/strict';
import { greeting } from '../app-client.ts';
import { criteriaFile } from '../images.ts';
import { registerInstance } from '../instance.ts';
import { storedCopies, withoutBlobs } from '../region.ts';
import { shortPath } from '../repository.ts';
import type { Story } from '../story.ts';
import { instanceName } from '../world.ts';
import type { Cast } from './push.ts';

export const deploymentName = 'shop';

/** 3: granted, deployed, copied, and launched from away's copy alone. */
export async function launchAway(story: Story, cast: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, people } = world;
  const secretFile = await registerInstance(story);
  await narrator.check('acme grants globex the image', () =>
    people.acme.lazaret(home, ['grant', 'add', 'acme/shop', '--to', 'globex']),
  );
  await narrator.check('acme deploys it to the instance of globex in away', () =>
    people.acme.lazaret(home, createArgs(story, deploymentName)),
  );
  narrator.moment('home', 'acme granted globex the image, and deployed it to away');
  await narrator.check(
    'every blob of the image was copied to away; the bytes there have the digests that were pushed',
    () => assertCopied(story, cast),
  );
  narrator.moment('away', 'every layer was copied and verified');
  await withoutBlobs(home, async () => {
    await narrator.check("home's blob door is cut: a layer can't be read there", async () => {
      const shop = story.registry(home, people.acme, 'acme/shop');
      assert.equal((await shop.blob(cast.base.digest)).status, 503);
    });
    const startedMs = performance.now();
    await narrator.check('the agent is started, and runs the image from what is in away alone', async () => {
      await world.startAgent(secretFile);
      await answering(story, '4.17.20');
    });
    const tookMs = performance.now() - startedMs;
    narrator.moment('away', 'the container answered, while no layer could be read in home', { tookMs });
  });
  await narrator.check("home's blob door is open again", () =>
    story.registry(home, people.acme, 'acme/shop').pullImage(cast.shop, '1'),
  );
  await narrator.check('globex sees what runs', async () => {
    // The port answers a moment before home has heard of it.
    await story.event(home, 'container.started', () => true);
    const { stdout } = await people.globex.lazaret(home, ['ps']);
    assert.match(stdout, /running/);
  });
}

/** Of `lazaret`, to run acme/shop:1 on the instance; a quarantine ends it too, which the deployment adds. */
export function createArgs({ world }: Story, name: string): string[] {
  const where = ['--on', `${world.away.name}/${instanceName}`, '--account', 'globex'];
  const added = ['--event-criteria', shortPath(criteriaFile('on-quarantine'))];
  const env = ['--env', `PORT=${world.appPort}`];
  return ['deploy', 'create', 'acme/shop:1', '--name', name, ...where, ...env, ...added];
}

/** Waits for the app to answer with that lodash. */
export async function answering(story: Story, lodash: string): Promise<void> {
  const { world, signal } = story;
  const told = await story.until(
    `the app on port ${world.appPort}`,
    () => greeting(world.appPort, signal),
    30_000,
  );
  assert.deepEqual(told, { name: 'shop', greeting: 'Welcome To The Shop', lodash });
}

async function assertCopied(story: Story, { shop }: Cast): Promise<void> {
  for (const blob of [...shop.layers, shop.config])
    await story.until(
      `${blob.digest} in away`,
      async () => (await storedCopies(story.world.away, blob)).length === 1,
      30_000,
    );
}
