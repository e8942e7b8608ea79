import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import { yieldingPace } from './pace.ts';

function world() {
  const clock = new ManualClock();
  const foreground = new Foreground(clock);
  return { clock, foreground, pace: yieldingPace({ clock, foreground }) };
}

/** Lets everything go on that needs no time. */
async function settled() {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the pace of the collector', () => {
  it('is full, without any rest, while nobody pushes or pulls', async () => {
    const { pace, clock } = world();
    for (let step = 0; step < 10; step++) expect(await pace.turn()).toBe(1);
    expect(clock.sleeping).toBe(0);
  });

  it('rests before each step, and takes a small one, while a request goes on', async () => {
    const { pace, clock, foreground } = world();
    foreground.begin();
    for (let step = 0; step < 3; step++) {
      const turns: number[] = [];
      const turn = pace.turn().then((share) => turns.push(share));
      await settled();
      clock.advance(limits.collectRestMs - 1);
      await settled();
      expect(turns).toEqual([]);
      clock.advance(1);
      await turn;
      expect(turns).toEqual([limits.collectSmallStep]);
    }
  });

  it('is full again when the last request has ended a moment ago', async () => {
    const { pace, clock, foreground } = world();
    const end = foreground.begin();
    const turn = pace.turn();
    await settled();
    end();
    expect(foreground.isBusy()).toBe(true);
    clock.advance(limits.collectRestMs);
    expect(await turn).toBe(1);
    expect(await pace.turn()).toBe(1);
  });

  it('takes requests that follow one another as one push', async () => {
    const { clock, foreground } = world();
    for (let request = 0; request < 3; request++) {
      foreground.begin()();
      clock.advance(limits.foregroundQuietMs - 1);
      expect(foreground.isBusy()).toBe(true);
    }
    clock.advance(1);
    expect(foreground.isBusy()).toBe(false);
  });

  it('ends its rest when the server stops', async () => {
    const { pace, clock, foreground } = world();
    foreground.begin();
    const stop = new AbortController();
    const turn = pace.turn(stop.signal);
    await settled();
    stop.abort();
    await turn;
    expect(clock.sleeping).toBe(0);
  });
});
