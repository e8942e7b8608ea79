import { registerInstance } from './instance.ts';
import { answering, createArgs } from './steps/launch.ts';
import { buildCast, pushAttachment } from './steps/push.ts';
import type { Story } from './story.ts';

/** Fills a world for `npm run dev`: images with their event criteria, one of them running. @returns the deployment's name */
export async function seed(story: Story): Promise<string> {
  const { narrator, world } = story;
  const { home, people } = world;
  narrator.title('Images are built and pushed, one is deployed');
  const cast = await buildCast(story);
  const shop = story.registry(home, people.acme, 'acme/shop');
  await narrator.check(
    'acme/shop:1 has lodash 4.17.20, and event criteria; acme/shop:2 has the newest',
    async () => {
      await shop.pushImage(cast.shop, '1');
      await pushAttachment(shop, cast.eventCriteria);
      await shop.pushImage(cast.fixedShop, '2');
    },
  );
  await narrator.check('acme/portal:1 is another app over the same base', () =>
    story.registry(home, people.acme, 'acme/portal').pushImage(cast.portal, '1'),
  );
  await world.startAgent(await registerInstance(story));
  await people.acme.lazaret(home, ['grant', 'add', 'acme/*', '--to', 'globex']);
  await people.acme.lazaret(home, createArgs(story, 'shop'));
  await narrator.check('acme/shop:1 answers in away', () => answering(story, '4.17.20'));
  return 'shop';
}
