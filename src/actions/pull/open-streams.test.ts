import { expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { OpenStreams, stalledTask } from './open-streams.ts';

it('a pull of which nothing is taken for long is dropped, one that goes on, however slowly, is not', async () => {
  const clock = new ManualClock();
  const openStreams = new OpenStreams();
  const stalled = streamed(openStreams);
  const slow = streamed(openStreams);
  const task = stalledTask({ openStreams, clock });
  const look = async () => task.run(new AbortController().signal);
  await look();
  for (let looks = 0; looks < 3; looks += 1) {
    expect([stalled.dropped, slow.dropped]).toEqual([false, false]);
    clock.advance(limits.pullStallMs / 3);
    slow.takenBytes += 1;
    await look();
  }
  expect([stalled.dropped, slow.dropped]).toEqual([true, false]);
  expect(openStreams.list()).toHaveLength(1);
});

function streamed(openStreams: OpenStreams) {
  const state = { takenBytes: 1_000, dropped: false };
  const end = openStreams.track({
    scope: { repository: 'acme/shop', account: 'acme' },
    digest: 'sha256:1',
    mayPush: false,
    cut: () => undefined,
    takenBytes: () => state.takenBytes,
    drop: () => {
      state.dropped = true;
      end();
    },
  });
  return state;
}
