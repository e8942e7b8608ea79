/**
 * The lines of a text, one after the other: a database of packages may be as large as an extractor's files may be, and a
 * list of its lines, or of its paragraphs, would take many times as much.
 */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at <= text.length; ) {
    const end = text.indexOf('\n', at);
    yield end === -1 ? text.slice(at) : text.slice(at, end);
    at = end === -1 ? text.length + 1 : end + 1;
  }
}

/** What `start` makes of each paragraph, which empty lines end; `line` sees its lines. None is made of empty lines alone. */
export function* paragraphsOf<T>(
  text: string,
  { start, line: see }: { start(): T; line(paragraph: T, line: string): void },
): Generator<T> {
  let paragraph: T | undefined;
  for (const line of linesOf(text)) {
    if (line.trim() !== '') {
      paragraph ??= start();
      see(paragraph, line);
    } else if (paragraph !== undefined) {
      yield paragraph;
      paragraph = undefined;
    }
  }
  if (paragraph !== undefined) yield paragraph;
}
