import { LazaretError } from '../../lib/errors.ts';

/** So many failures in a row, each tried several times, mean that one of the two sides is gone. */
const failuresMax = 8;

/**
 * What is asked of the source and the destination at once: at most `atOnce`, the others wait in the order in which they
 * came. When one of them is gone, what still waits fails at once instead of being tried again and again.
 */
export class Requests {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #going = 0;
  #failures = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#going >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#going += 1;
    try {
      if (this.#failures >= failuresMax)
        throw new LazaretError('unavailable', 'not tried: too many failures before it');
      const result = await work();
      this.#failures = 0;
      return result;
    } catch (error) {
      const away = error instanceof LazaretError && error.code === 'unavailable';
      if (away) this.#failures += 1;
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#going -= 1;
      else next();
    }
  }
}

/** Does `work` for all items, at most `atOnce` at a time. The first failure is thrown when what goes on has ended. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = left.next(); !next.done && failures.length === 0; next = left.next())
      await work(next.value).catch((error: unknown) => void failures.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}
