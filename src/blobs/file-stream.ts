import type { FileHandle } from 'node:fs/promises';
import { LazaretError } from '../lib/errors.ts';
import { BufferPool } from './buffer-pool.ts';
import { asUnavailable } from './durable-files.ts';

/** Large enough to keep the trips to the thread pool rare; a reader holds two at most. */
const chunkBytes = 512 * 1024;
const buffers = new BufferPool({
  largeBytes: 1024 * 1024,
  largeMax: 128,
  keptMax: 16,
  smallBytes: 128 * 1024,
});
const finished = { done: true, value: undefined } as const;

/**
 * The bytes of an open file from `start` to before `end`, one chunk read ahead of its reader. It owns `handle`, and
 * closes it at the end, at an error, when the reader stops (also before the first chunk, which a generator would not
 * notice) and on abort.
 */
export class FileStream implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #handle: FileHandle;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  // Whoever calls next or return afterwards waits for the same close and gets its error.
  readonly #onAbort = () => this.#close().catch(() => {});
  #position: number;
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #closing: Promise<void> | undefined;

  constructor(handle: FileHandle, part: { start: number; end: number }, signal: AbortSignal | undefined) {
    this.#handle = handle;
    this.#position = part.start;
    this.#end = part.end;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      const chunk = await this.#nextChunk();
      if (chunk !== undefined) return { done: false, value: chunk };
    } catch (error) {
      await this.#close();
      throw asUnavailable('while a blob was read', error);
    }
    await this.#close();
    return finished;
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#close();
    return finished;
  }

  /** See `BlobContent`. While `take` has one chunk, the next is read. */
  async pump(take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const pair = [buffers.take(), buffers.take()] as const;
    let [reading, free] = [this.#startRead(pair[0]), pair[1]];
    try {
      for (;;) {
        const chunk = await reading.catch((error: unknown) => {
          throw asUnavailable('while a blob was read', error);
        });
        this.#signal?.throwIfAborted();
        if (chunk === undefined) return;
        reading = this.#startRead(free);
        free = free === pair[0] ? pair[1] : pair[0];
        await take(chunk);
      }
    } finally {
      // A buffer that is still being read into belongs to nobody else.
      await reading.catch(() => {});
      for (const buffer of pair) buffers.giveBack(buffer);
      await this.#close();
    }
  }

  async #nextChunk(): Promise<Uint8Array | undefined> {
    this.#signal?.throwIfAborted();
    if (this.#closing !== undefined) return undefined;
    const current = this.#ahead ?? this.#startRead();
    this.#ahead = this.#startRead();
    const chunk = await current;
    this.#signal?.throwIfAborted();
    return chunk;
  }

  #startRead(into?: Buffer): Promise<Uint8Array | undefined> {
    const start = this.#position;
    if (start >= this.#end || this.#closing !== undefined) return Promise.resolve(undefined);
    this.#position = Math.min(start + (into?.byteLength ?? chunkBytes), this.#end);
    const bytes = this.#position - start;
    const chunk = into ? into.subarray(0, bytes) : Buffer.allocUnsafeSlow(bytes);
    const reading = readFully(this.#handle, start, chunk);
    // Its reader may stop before it asks for this chunk; one who asks gets the error all the same.
    reading.catch(() => {});
    return reading;
  }

  #close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }
}

async function readFully(handle: FileHandle, start: number, chunk: Buffer): Promise<Uint8Array> {
  let filled = 0;
  while (filled < chunk.byteLength) {
    const { bytesRead } = await handle.read(chunk, filled, chunk.byteLength - filled, start + filled);
    if (bytesRead === 0)
      throw new LazaretError('unavailable', `a stored blob ends at ${start + filled}, before its size`);
    filled += bytesRead;
  }
  return chunk;
}
