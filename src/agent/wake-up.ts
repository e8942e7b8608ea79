import type { Clock } from '../lib/clock.ts';

/** Rest that ends early when somebody has news, also news that came before the rest began. */
export class WakeUp {
  readonly #clock: Clock;
  #pending = false;
  #sleep: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#pending = true;
    this.#sleep?.abort();
  }

  async rest(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      this.#sleep = new AbortController();
      await this.#clock.sleep(ms, AbortSignal.any([signal, this.#sleep.signal]));
      this.#sleep = undefined;
    }
    this.#pending = false;
  }
}
