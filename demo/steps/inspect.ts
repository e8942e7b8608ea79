import assert from 'node:assert/strict';
import type { Story } from '../story.ts';
import type { Cast } from './push.ts';

/** 2: each layer was read once, when it was pushed; this asks only the metadata. */
export async function showInspection(story: Story, { shop, base, vulnerable }: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, people } = world;
  for (const layer of shop.layers) {
    const what = layer === base ? 'the base' : layer === vulnerable ? 'node_modules' : 'the app';
    const event = await narrator.check(
      `the inspection has read ${what}`,
      () => inspected(story, layer.digest),
      ({ data }) =>
        `${data.files} files, ${data.packages} packages in ${Math.round(Number(data.durationMs))} ms`,
    );
    const { at, data } = event;
    narrator.moment('home', `${what} was inspected: ${data.files} files, ${data.packages} packages`, {
      at,
      tookMs: Number(data.durationMs),
    });
  }
  await narrator.check('the image is shown with lodash 4.17.20 in it', async () => {
    const { stdout } = await people.acme.lazaret(home, ['image', 'show', 'acme/shop:1']);
    assert.match(stdout, /lodash/);
    assert.match(stdout, /4\.17\.20/);
  });
}

async function inspected(story: Story, digest: string) {
  const event = await story.event(story.world.home, 'layer.inspected', ({ data }) => data.digest === digest);
  assert.equal(event.data.state, 'inspected', String(event.data.reason));
  return event;
}
