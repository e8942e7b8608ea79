import assert from 'node:assert/strict';
import { listens } from '../app-client.ts';
import { secondsText } from '../narrator.ts';
import type { Story } from '../story.ts';
import { newestLodash } from './fixed.ts';
import { answering, createArgs } from './launch.ts';

const leaseMs = 30_000;
const stopDeadlineMs = 5_000;
/** Between the end of the container and its port's refusal: how often it is asked. */
const seenMs = 1_000;

/** 8: home is killed, then the agent; what has a lease ends each time, with nobody to say so. */
export async function endWithLease(story: Story): Promise<void> {
  const { narrator, world } = story;
  const { home, people } = world;
  await narrator.check('the fix is deployed again, with a lease', async () => {
    await people.acme.lazaret(home, ['deploy', 'rm', 'shop-fixed']);
    await story.until('its port to be free', async () => !(await listens(world.appPort)));
    const lease = ['--lease', secondsOf(leaseMs), '--stop-deadline', secondsOf(stopDeadlineMs)];
    await people.acme.lazaret(home, [...createArgs(story, 'shop-leased'), ...lease]);
    await answering(story, newestLodash);
  });
  await endsWithin(story, 'home', () => world.killServer(home));
  await narrator.check('home is started again, and the container goes on by itself', async () => {
    await world.restartServer(home);
    await answering(story, newestLodash);
  });
  narrator.moment('home, away', 'home was back, and the container with it');
  await endsWithin(story, 'the agent', () => world.killAgent());
}

async function endsWithin(story: Story, who: string, kill: () => Promise<void>): Promise<void> {
  const { narrator, world } = story;
  const startedMs = performance.now();
  const promisedMs = leaseMs + stopDeadlineMs;
  const tookMs = await narrator.check(
    `${who} is killed; the container ends within its lease and stop deadline (${secondsText(promisedMs)})`,
    async () => {
      await kill();
      assert.equal(await listens(world.appPort), true, 'it goes on at first');
      const patience = promisedMs + seenMs;
      await story.until('the port to refuse', async () => !(await listens(world.appPort)), patience);
      return performance.now() - startedMs;
    },
    (ms) => `${secondsText(ms)} after the kill`,
  );
  narrator.moment('away', `the container had ended, after ${who} was killed`, { tookMs });
}

function secondsOf(ms: number): string {
  return `${ms / 1_000}s`;
}
