/**
 * Small steps to put between a source of bytes and its reader. Each passes chunks on as they come and holds none back,
 * so that backpressure reaches the source; each ends the source when its reader stops early.
 */
import type { Hash } from 'node:crypto';
import { LazaretError } from './errors.ts';

export type ByteSource = AsyncIterable<Uint8Array>;

/** Passes `source` on and fails with `exceeded()` before the chunk that would make it longer than `bytesMax`. */
export async function* limitBytes(
  source: ByteSource,
  bytesMax: number,
  exceeded: () => Error,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw exceeded();
    yield chunk;
  }
}

/** Passes `source` on and feeds `hash` with every chunk before its reader sees it. */
export async function* hashing(source: ByteSource, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** All of `source` in one piece. @throws tooLarge when it is longer than `bytesMax`. */
export async function collect(source: ByteSource, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const exceeded = () =>
    new LazaretError('tooLarge', `longer than ${bytesMax} bytes`, { detail: { bytesMax } });
  for await (const chunk of limitBytes(source, bytesMax, exceeded)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Passes `source` on until `signal` aborts, then fails with its reason at once, also while the source is silent.
 * A source that never answers can't be ended from here: whoever aborts also disposes of what is behind it.
 */
export async function* abortable(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await stepOrAbort(iterator, signal);
      if (step.done) return;
      yield step.value;
    }
  } finally {
    const ended = iterator.return?.();
    // After an abort the source may hang in its own end. The reader gets the abort's reason; what the source says
    // after that concerns only its owner.
    if (signal.aborted) ended?.catch(() => {});
    else await ended;
  }
}

function stepOrAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    // One listener per step, taken off again: racing against one long promise would keep every step in memory.
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
