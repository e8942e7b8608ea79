/**
 * One read for many who ask at the same moment. Whoever asks gets the result of a read that began after it asked: what
 * is asked in one turn of the event loop shares a read that begins when the turn ends, and what is asked while a read
 * goes on shares the next.
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let going: Promise<void> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    const result = read();
    const ended = result.then(nothing, nothing).then(() => {
      if (going === ended) going = undefined;
    });
    going = ended;
    return result;
  };
  return () => (next ??= (going ?? turnEnded()).then(begin));
}

function turnEnded(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function nothing(): void {}
