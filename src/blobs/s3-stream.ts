import type { Readable } from 'node:stream';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { s3Failure } from './s3-client.ts';

const finished = { done: true, value: undefined } as const;

/**
 * The body of an answer of S3. It ends its connection when its reader stops (also before the first chunk) and on abort;
 * a body that falls silent, or ends before `lengthBytes`, is unavailable. A reader that takes its time is waited for.
 */
export class S3Stream implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => {
    this.#body.destroy();
  };
  #leftBytes: number;

  constructor(body: Readable, lengthBytes: number, signal: AbortSignal | undefined) {
    this.#body = body;
    // Its error comes out of the iterator; after an early end nobody asks any more.
    body.on('error', () => {});
    this.#chunks = body[Symbol.asyncIterator]();
    this.#leftBytes = lengthBytes;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      this.#signal?.throwIfAborted();
      const { done, value } = await this.#step();
      this.#signal?.throwIfAborted();
      if (done !== true && value instanceof Uint8Array) {
        this.#leftBytes -= value.byteLength;
        return { done: false, value };
      }
      if (this.#leftBytes > 0) throw cut(this.#leftBytes);
    } catch (error) {
      this.#end();
      throw this.#signal?.aborted ? this.#signal.reason : s3Failure('while a blob was read', error);
    }
    this.#end();
    return finished;
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#leftBytes = 0;
    this.#end();
    return finished;
  }

  async #step(): Promise<IteratorResult<unknown>> {
    const silent = setTimeout(
      () => this.#body.destroy(new LazaretError('unavailable', 'the blob store fell silent')),
      limits.storeRequestMs,
    );
    try {
      return await this.#chunks.next();
    } finally {
      clearTimeout(silent);
    }
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#body.destroy();
  }
}

function cut(leftBytes: number, cause?: unknown): LazaretError {
  return new LazaretError('unavailable', `the blob store ended a blob ${leftBytes} bytes early`, { cause });
}
