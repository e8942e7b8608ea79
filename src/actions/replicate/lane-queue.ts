/**
 * Lines of one lane between the connection and what applies them. It never makes the connection wait, since the other
 * lane comes over it too: beyond its limits it takes nothing more, and says so; what it did not take is sent again over
 * the next connection.
 */
export class LaneQueue<T> implements AsyncIterable<T> {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #items: { readonly item: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #closed = false;
  #overflowed = false;
  #wake: (() => void) | undefined;

  constructor(limits: { countMax: number; bytesMax: number }) {
    this.#countMax = limits.countMax;
    this.#bytesMax = limits.bytesMax;
  }

  /** Whether something was not taken. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Everything that there will be has been pushed. */
  get closed(): boolean {
    return this.#closed;
  }

  push(item: T, bytes: number): void {
    if (this.#closed || this.#overflowed) return;
    if (this.#items.length >= this.#countMax || this.#bytes + bytes > this.#bytesMax) {
      this.#overflowed = this.#items.length > 0;
      if (this.#overflowed) return;
    }
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#wake?.();
  }

  /** What was taken is still given out; then it ends. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Ends when it was closed, or has overflowed, and is empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#items.shift();
      if (next) {
        this.#bytes -= next.bytes;
        yield next.item;
      } else if (this.#closed || this.#overflowed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
