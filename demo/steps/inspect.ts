import assert from 'node:assert/strict';
import { sizeText } from '../../src/cli/words.ts';
import type { DemoEvent, Story } from '../story.ts';
import type { Cast } from './push.ts';

/** 2: each layer was read once, when it was pushed; from now on the metadata is asked, never the layers. */
export async function showInspection(story: Story, cast: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, people } = world;
  const show = async (...options: readonly string[]) =>
    (await people.acme.lazaret(home, ['image', 'show', 'acme/shop:1', ...options])).stdout;
  await narrator.check('the inspection of the image has ended', () => show('--wait'));
  for (const [name, layer] of layersOf(cast)) {
    const { at, data } = await narrator.check(
      `${name}: every file was read and hashed`,
      () => inspected(story, layer.digest),
      (event) => countsText(event, layer.size),
    );
    narrator.moment('home', `${name} was inspected: ${data.files} files, ${data.packages} packages`, {
      at,
      tookMs: Number(data.durationMs),
    });
  }
  await narrator.check('the image consists of three layers, all of them known', async () => {
    assert.equal((await show('--layers')).match(/ done /g)?.length, 3);
  });
  narrator.moment('home', 'the image was known: three layers, one package');
  await narrator.check('lodash 4.17.20 is in it, found where npm put it', async () => {
    assert.match(await show('--packages'), /lodash +4\.17\.20 .*app\/node_modules\/lodash/);
  });
}

function layersOf({ shop, base, vulnerable }: Cast) {
  const names = new Map([
    [base, 'the base'],
    [vulnerable, 'node_modules'],
  ]);
  return shop.layers.map((layer) => [names.get(layer) ?? 'the app', layer] as const);
}

async function inspected(story: Story, digest: string): Promise<DemoEvent> {
  const event = await story.event(story.world.home, 'layer.inspected', ({ data }) => data.digest === digest);
  assert.equal(event.data.state, 'done', String(event.data.reason));
  return event;
}

function countsText({ data }: DemoEvent, sizeBytes: number): string {
  const { files, packages, durationMs } = data;
  return `${files} files, ${packages} packages in ${sizeText(sizeBytes)}, read in ${Math.round(Number(durationMs))} ms`;
}
