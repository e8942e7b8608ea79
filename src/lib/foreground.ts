import type { Clock } from './clock.ts';
import { limits } from './limits.ts';

/**
 * The pushes and pulls that go on in this process: what somebody waits for, and background work yields to. Between two
 * requests of one client there is a pause, so it is busy for a moment longer than the last one took.
 */
export class Foreground {
  readonly #clock: Pick<Clock, 'bootMs'>;
  #going = 0;
  #lastEndedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'bootMs'>) {
    this.#clock = clock;
  }

  /** A request has begun. @returns what is called, once, when it has ended */
  begin(): () => void {
    this.#going += 1;
    return () => {
      this.#going -= 1;
      // While others go on it is busy anyway, and the boot clock costs as much as some requests.
      if (this.#going === 0) this.#lastEndedMs = this.#clock.bootMs();
    };
  }

  isBusy(): boolean {
    return this.#going > 0 || this.#clock.bootMs() - this.#lastEndedMs < limits.foregroundQuietMs;
  }
}
