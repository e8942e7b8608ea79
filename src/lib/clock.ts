import { uptime } from 'node:os';

/** The only source of time. Wall time names moments; boot time (it runs on in suspend) measures durations. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  wallMs(): number;
  /** Milliseconds since the machine started. */
  bootMs(): number;
  /** Resolves after `ms`; resolves early, without error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  bootMs: () => uptime() * 1000,
  // Not that of node:timers/promises, which makes an error with a stack each time that somebody is woken early.
  sleep: (ms, signal) => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end, { once: true });
    });
  },
};

/** For short durations within a thread: finer than the boot clock, and cheap. */
export function monotonicMs(): number {
  return performance.now();
}

/** A clock moved by hand, for tests: sleepers wake when time passes them. */
export class ManualClock implements Clock {
  #nowMs: number;
  /** Wall time that passed while boot time stood still. */
  #pausedMs = 0;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#pausedMs;
  }

  bootMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const abort = () => {
        this.#sleepers.delete(sleeper);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** The machine stands still for so long and is told the time when it goes on. */
  pauseMachine(ms: number): void {
    this.#pausedMs += ms;
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
