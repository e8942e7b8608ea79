import assert from 'node:assert/strict';
import type { Story } from '../story.ts';
import { answering, createArgs } from './launch.ts';

/** 7: the fix runs, and the receipt says what became of everything. */
export async function deployFix(story: Story, quarantine: string): Promise<void> {
  const { narrator, world } = story;
  const { home, people } = world;
  await narrator.check('the fixed image is deployed, and answers', async () => {
    await people.acme.lazaret(home, createArgs(story, 'shop-fixed'));
    await answering(story, newestLodash);
  });
  narrator.moment('away', `the fixed image answered, with lodash ${newestLodash}`);
  await narrator.check('globex sees the one that runs, and the two that were ended', () =>
    people.globex.lazaret(home, ['ps', '--all']),
  );
  await narrator.check('the receipt proves that every container has ended', async () => {
    const { stdout } = await people.security.lazaret(home, ['receipt', quarantine]);
    for (const part of ['R-1', 'R-2', 'bytes gone', '2 of 2 containers proved stopped'])
      assert.ok(stdout.includes(part), `the receipt does not say '${part}'`);
  });
}

/** As pinned in `demo/lodash/fixed`. */
export const newestLodash = '4.18.1';
