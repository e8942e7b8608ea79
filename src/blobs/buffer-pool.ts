/** Buffers of one size that are used again: to get the memory of a fresh one costs as much as to fill it. */
export class BufferPool {
  readonly #bufferBytes: number;
  readonly #kept: number;
  readonly #free: Buffer[] = [];

  /** @param options.kept how many are kept that nobody uses */
  constructor({ bufferBytes, kept }: { readonly bufferBytes: number; readonly kept: number }) {
    this.#bufferBytes = bufferBytes;
    this.#kept = kept;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferBytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#free.length < this.#kept) this.#free.push(buffer);
  }
}
