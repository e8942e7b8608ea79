import { setTimeout as delay } from 'node:timers/promises';

interface Patience {
  /** What is waited for, as in "waited 20 s for …". */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
  readonly pollMs?: number;
}

/** Asks until the answer is neither undefined nor false; an error counts as "not yet". @throws Error at the deadline */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { what, signal, deadlineMs = 20_000, pollMs = 25 }: Patience,
): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= untilMs) {
      const why = last instanceof Error ? `; at last: ${last.message}` : '';
      throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}${why}`, { cause: last });
    }
    await delay(pollMs, undefined, { signal });
  }
}
