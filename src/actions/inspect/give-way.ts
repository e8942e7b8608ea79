import { type Clock, monotonicMs } from '../../lib/clock.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';

/**
 * How the threads that read layers give way: while somebody pushes or pulls, each works for a millisecond or two and rests three
 * times as long, so that it neither takes more than a quarter of a core nor stands still. Their low priority is not enough: a
 * thread that runs ends its slice of some milliseconds before one that was woken comes, of whatever priority. They learn of it
 * through memory that all share, since a thread in the midst of a layer hears no message.
 */
export type Busy = Int32Array<SharedArrayBuffer>;

export function nobodyBusy(): Busy {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Tells whether somebody pushes or pulls, until `done`. */
export async function tellBusy(
  busy: Busy,
  { foreground, clock }: { readonly foreground: Pick<Foreground, 'isBusy'>; readonly clock: Clock },
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    Atomics.store(busy, 0, foreground.isBusy() ? 1 : 0);
    Atomics.notify(busy, 0);
    await clock.sleep(limits.foregroundQuietMs, done);
  }
}

interface Time {
  nowMs(): number;
  /** Holds the thread up for so long, or until nobody is busy any more. */
  rest(busy: Busy, ms: number): void;
}

/** @returns what is to be called between two pieces of work, as often as one likes */
export function restsOf(busy: Busy, time: Time = threadTime): () => void {
  let sinceMs = time.nowMs();
  return () => {
    const workedMs = time.nowMs() - sinceMs;
    if (workedMs < limits.inspectTurnMs) return;
    // What waited for its source meanwhile has not worked as long as it seems.
    if (Atomics.load(busy, 0) === 1)
      time.rest(busy, Math.min(workedMs * limits.inspectRestTimes, limits.inspectRestMsMax));
    sinceMs = time.nowMs();
  };
}

const threadTime: Time = {
  nowMs: monotonicMs,
  rest: (busy, ms) => void Atomics.wait(busy, 0, 1, ms),
};
