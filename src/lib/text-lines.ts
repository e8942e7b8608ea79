import { LazaretError } from './errors.ts';
import type { ByteSource } from './streams.ts';

/** UTF-8 lines that are not empty, without their ends. @throws tooLarge for one over `lineMax` characters */
export async function* textLines(source: ByteSource, lineMax: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineMax)
      throw new LazaretError('tooLarge', `a line of more than ${lineMax} characters`, {
        detail: { lineMax },
      });
    for (const line of lines) if (line.trim() !== '') yield line.trimEnd();
  }
  const last = rest + decoder.decode();
  if (last.trim() !== '') yield last.trimEnd();
}
