import type { Clock } from '../../lib/clock.ts';

/**
 * Values as lines of JSON, each asked for only when the one before was taken. While there is nothing to say, an empty
 * line every ten seconds shows both ends that the other one lives. A failure becomes the last line.
 */
export interface LineOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => string;
}

const heartbeatMs = 10_000;

export async function* jsonLines(
  values: AsyncIterable<unknown>,
  options: LineOptions,
): AsyncGenerator<string> {
  const iterator = values[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    while (!options.signal.aborted) {
      const step = await firstOf(next, options);
      if (step === 'silence') yield '\n';
      else if (step.done) return;
      else {
        next = iterator.next();
        next.catch(() => {}); // awaited in the next round, unless the reader hangs up
        yield `${JSON.stringify(step.value)}\n`;
      }
    }
  } catch (error) {
    if (!options.signal.aborted) yield `${options.onError(error)}\n`;
  } finally {
    // A source that waits for something learns of the end by its signal; nobody waits for it here.
    iterator.return?.(undefined)?.catch(() => {});
  }
}

async function firstOf<T>(next: Promise<T>, { clock, signal }: LineOptions): Promise<T | 'silence'> {
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([
      next,
      clock.sleep(heartbeatMs, waiting.signal).then(() => 'silence' as const),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    waiting.abort();
  }
}
