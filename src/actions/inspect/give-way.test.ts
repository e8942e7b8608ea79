import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import { type Busy, nobodyBusy, restsOf, tellBusy } from './give-way.ts';

/** A thread whose work takes as long as is said. */
class Thread {
  readonly rested: number[] = [];
  readonly #busy: Busy;
  readonly #betweenChunks: () => void;
  #nowMs = 0;

  constructor(busy: Busy) {
    this.#busy = busy;
    this.#betweenChunks = restsOf(busy, {
      nowMs: () => this.#nowMs,
      rest: (_, ms) => {
        this.rested.push(ms);
        this.#nowMs += ms;
      },
    });
  }

  work(ms: number) {
    this.#nowMs += ms;
    this.#betweenChunks();
  }

  static busy(): Thread {
    const busy = nobodyBusy();
    Atomics.store(busy, 0, 1);
    return new Thread(busy);
  }

  quiet() {
    Atomics.store(this.#busy, 0, 0);
  }
}

async function settled() {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a thread that reads layers', () => {
  it('never rests while nobody pushes or pulls', () => {
    const thread = new Thread(nobodyBusy());
    for (let chunk = 0; chunk < 10; chunk++) thread.work(limits.inspectTurnMs);
    expect(thread.rested).toEqual([]);
  });

  it('rests some times as long as it has worked while somebody does, and no longer than a limit', () => {
    const thread = Thread.busy();
    thread.work(limits.inspectTurnMs + 3);
    thread.work(limits.inspectRestMsMax);
    expect(thread.rested).toEqual([
      (limits.inspectTurnMs + 3) * limits.inspectRestTimes,
      limits.inspectRestMsMax,
    ]);
  });

  it('works on through chunks that are small, and counts them together', () => {
    const thread = Thread.busy();
    for (let chunk = 0; chunk < 3; chunk++) thread.work(limits.inspectTurnMs / 4);
    expect(thread.rested).toEqual([]);
    thread.work(limits.inspectTurnMs / 4);
    expect(thread.rested).toEqual([limits.inspectTurnMs * limits.inspectRestTimes]);
  });

  it('goes on without rests when they have ended', () => {
    const thread = Thread.busy();
    thread.work(limits.inspectTurnMs);
    thread.quiet();
    thread.work(limits.inspectTurnMs);
    expect(thread.rested).toHaveLength(1);
  });

  it('is told of pushes and pulls that begin and end, until its layer is read', async () => {
    const [busy, clock, done] = [nobodyBusy(), new ManualClock(), new AbortController()];
    const foreground = new Foreground(clock);
    const told = tellBusy(busy, { foreground, clock }, done.signal);
    const seen = async () => {
      clock.advance(limits.foregroundQuietMs);
      await settled();
      return Atomics.load(busy, 0);
    };
    expect(await seen()).toBe(0);
    const end = foreground.begin();
    expect(await seen()).toBe(1);
    end();
    await seen();
    expect(await seen()).toBe(0);
    done.abort();
    await told;
    foreground.begin();
    expect(await seen()).toBe(0);
  });
});
