/**
 * One run of `work` for many who ask at the same moment. Whoever asks gets the result of a run that began after it asked:
 * what is asked in one turn of the event loop shares a run that begins when the turn ends, and what is asked while one
 * goes on shares the next.
 */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let going: Promise<void> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    const result = work();
    const ended = result.then(nothing, nothing).then(() => {
      if (going === ended) going = undefined;
    });
    going = ended;
    return result;
  };
  return () => {
    next ??= (going ?? turnEnded()).then(begin);
    return next;
  };
}

/** When everything that is ready has been looked at. */
export function turnEnded(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function nothing(): void {}
