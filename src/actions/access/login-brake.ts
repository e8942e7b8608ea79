import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

/**
 * The brake on guessing passwords. Wrong ones are counted three ways: of one name from one address (the *pair*), of one
 * name from wherever, from one address for whatever names. Each count has some that cost nothing; after those the next
 * try must wait, twice as long each time, and is refused before it is looked at until then. A count is forgotten when
 * nothing wrong came for a quarter of an hour.
 *
 * Nobody may lock somebody else out by guessing. So a pair that gave the right password within a day is bound by its own
 * count only: neither guesses from elsewhere at its name nor those of its neighbours behind one address hold it up. And
 * a password that was right a moment ago does not come here at all.
 *
 * Names that nobody has are counted like all others: the brake tells nothing about them. A try counts from its
 * beginning, so that many at once are no way round. Counts are in memory, of a bounded number; each server has its own.
 */
export interface LoginAttempt {
  readonly name: string;
  readonly address: string;
}

interface Count {
  wrong: number;
  /** Boot time of the last. */
  lastMs: number;
}

export class LoginBrake {
  readonly #clock: Clock;
  /** In the order of their last change, so that the first is what is given up when there are too many. */
  readonly #counts = new Map<string, Count>();
  /** Pairs that gave the right password: until when, in boot time. */
  readonly #known = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Before a password is looked at; `succeeded` takes it back. @throws tooManyRequests, with `detail.retryAfterS` */
  begin(attempt: LoginAttempt): void {
    const counts = this.#countsOf(attempt);
    const waitMs = Math.max(...counts.map(({ key, free }) => this.#waitMs(key, free)));
    if (waitMs > 0) throw tooMany(waitMs);
    for (const { key } of counts) this.#add(key);
  }

  succeeded(attempt: LoginAttempt): void {
    const pair = pairOf(attempt);
    for (const { key } of this.#countsOf(attempt)) this.#takeBack(key);
    this.#counts.delete(`pair ${pair}`);
    keep(this.#known, pair, this.#clock.bootMs() + limits.loginRememberMs);
  }

  /** How many counts are held. */
  get size(): number {
    return this.#counts.size + this.#known.size;
  }

  #countsOf(attempt: LoginAttempt): { key: string; free: number }[] {
    const pair = pairOf(attempt);
    const own = { key: `pair ${pair}`, free: limits.guessesOfPair };
    if ((this.#known.get(pair) ?? 0) > this.#clock.bootMs()) return [own];
    return [
      own,
      { key: `name ${attempt.name.slice(0, nameLengthMax)}`, free: limits.guessesOfOne },
      { key: `address ${attempt.address}`, free: limits.guessesOfOne },
    ];
  }

  #waitMs(key: string, free: number): number {
    const count = this.#count(key);
    if (!count || count.wrong < free) return 0;
    const delayMs = limits.guessDelayFirstMs * 2 ** Math.min(count.wrong - free, 30);
    return count.lastMs + Math.min(delayMs, limits.guessDelayMaxMs) - this.#clock.bootMs();
  }

  #count(key: string): Count | undefined {
    const count = this.#counts.get(key);
    if (!count || count.lastMs + limits.guessForgetMs > this.#clock.bootMs()) return count;
    this.#counts.delete(key);
    return undefined;
  }

  #add(key: string): void {
    const wrong = (this.#count(key)?.wrong ?? 0) + 1;
    keep(this.#counts, key, { wrong, lastMs: this.#clock.bootMs() });
  }

  #takeBack(key: string): void {
    const count = this.#counts.get(key);
    if (!count) return;
    count.wrong -= 1;
    if (count.wrong <= 0) this.#counts.delete(key);
  }
}

const nameLengthMax = 128;

function pairOf({ name, address }: LoginAttempt): string {
  return `${address} ${name.slice(0, nameLengthMax)}`;
}

/** As the youngest; the oldest goes if there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limits.guessersMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function tooMany(waitMs: number): LazaretError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000));
  return new LazaretError('tooManyRequests', `too many wrong passwords; try again in ${retryAfterS} s`, {
    detail: { retryAfterS },
  });
}
