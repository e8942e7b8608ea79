/**
 * Ids of rows that never change, by what they stand for, so that most look-ups ask no database. Bounded: the least
 * recently used go first. Filled only after the commit that made the rows.
 */
export class KnownIds {
  readonly #ids = new Map<string, number>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get(key: string): number | undefined {
    const id = this.#ids.get(key);
    if (id === undefined) return undefined;
    this.#ids.delete(key);
    this.#ids.set(key, id);
    return id;
  }

  set(key: string, id: number): void {
    this.#ids.delete(key);
    this.#ids.set(key, id);
    if (this.#ids.size <= this.#countMax) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
