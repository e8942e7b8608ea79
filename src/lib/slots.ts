/** Lets a bounded number of pieces of work go on at once; a bounded number waits, in turn. */
export class Slots {
  readonly #atOnce: number;
  readonly #waitingMax: number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: { readonly atOnce: number; readonly waitingMax: number }) {
    this.#atOnce = options.atOnce;
    this.#waitingMax = options.waitingMax;
  }

  /** Whether work that came now would be turned away. */
  get full(): boolean {
    return this.#waiting.length >= this.#waitingMax;
  }

  /** Runs it when its turn has come. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy += 1;
    try {
      return await work();
    } finally {
      // Whose turn it is takes over the place.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy -= 1;
    }
  }
}
