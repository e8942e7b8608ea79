/**
 * Buffers that are used again: to get the memory of a fresh one costs as much as to fill it. Up to `largeMax` of the large
 * ones are in use at once; who comes then gets a small one, so that many slow readers don't take all memory.
 */
export class BufferPool {
  readonly #sizes: BufferSizes;
  readonly #free: Buffer[] = [];
  #largeInUse = 0;

  constructor(sizes: BufferSizes) {
    this.#sizes = sizes;
  }

  take(): Buffer {
    const { largeBytes, largeMax, smallBytes } = this.#sizes;
    if (this.#largeInUse >= largeMax) return Buffer.allocUnsafeSlow(smallBytes);
    this.#largeInUse += 1;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
  }

  giveBack(buffer: Buffer): void {
    if (buffer.byteLength !== this.#sizes.largeBytes) return;
    this.#largeInUse -= 1;
    if (this.#free.length < this.#sizes.keptMax) this.#free.push(buffer);
  }
}

interface BufferSizes {
  readonly largeBytes: number;
  readonly largeMax: number;
  /** How many large ones are kept that nobody uses. */
  readonly keptMax: number;
  readonly smallBytes: number;
}
