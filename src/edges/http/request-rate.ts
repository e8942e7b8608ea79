import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { networkOf } from '../../lib/network.ts';
import type { Caller } from '../../records/access/caller.ts';

export interface RateTaker {
  /** @throws tooManyRequests, with `detail.retryAfterS` */
  take(caller: RatedCaller, address: string): void | Promise<void>;
}

export type RatedCaller = Pick<Caller, 'kind' | 'principal'>;

/**
 * How many requests a caller makes: a bucket of one minute's worth for each principal, and for each address of those
 * without a name, which fills evenly. Regions and instances are not counted: what enforces a quarantine never waits.
 * The buckets are in memory, of a bounded number; each server has its own.
 */
export class RequestRate implements RateTaker {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  /** @param perMinute 0: no limit */
  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** @throws tooManyRequests, with `detail.retryAfterS` */
  take(caller: RatedCaller, address: string): void {
    if (this.#perMinute === 0 || caller.kind === 'region' || caller.kind === 'instance') return;
    const key =
      caller.kind === 'anonymous' ? `address ${networkOf(address)}` : `principal ${caller.principal}`;
    const left = this.#left(key);
    this.#keep(key, left >= 1 ? left - 1 : left);
    if (left >= 1) return;
    const retryAfterS = Math.ceil(((1 - left) * 60) / this.#perMinute);
    throw new LazaretError('tooManyRequests', `at most ${this.#perMinute} requests in a minute`, {
      detail: { retryAfterS },
    });
  }

  #left(key: string): number {
    const bucket = this.#buckets.get(key);
    if (!bucket) return this.#perMinute;
    const filled = ((this.#clock.bootMs() - bucket.atMs) * this.#perMinute) / 60_000;
    return Math.min(this.#perMinute, bucket.left + filled);
  }

  #keep(key: string, left: number): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, { left, atMs: this.#clock.bootMs() });
    if (this.#buckets.size <= limits.ratesMax) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
