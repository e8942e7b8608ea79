/**
 * OSV documents out of one stream: a single JSON document, a JSON array, or JSON lines, each also compressed (recognised
 * by its first bytes). The stream is cut into documents before any is parsed, so a broken, too large or wrong document is
 * one error among the others and stops none of them. Only one document is held in memory at a time. A damaged
 * compressed stream is an error after the documents that came before the damage; errors of the source itself are thrown.
 */

import { decompressed, isDamaged } from '../../lib/decompressed.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { OsvAdvisory } from './advisory.ts';
import { parseOsv } from './parse.ts';
import { type Salvaged, salvage } from './salvage.ts';

/** `json`: one document or an array of them. `jsonl`: one a line. */
export type OsvDocumentKind = 'json' | 'jsonl';

/** `where` is `line 12`, `item 3` (of an array, from 0) or `document`. */
export type OsvReading =
  | { readonly ok: true; readonly advisory: OsvAdvisory; readonly bytes: Uint8Array; readonly where: string }
  | {
      readonly ok: false;
      readonly error: LazaretError;
      readonly where: string;
      /** What could be made out of a broken document; absent where there is no document. */
      readonly salvaged?: Salvaged;
    };

export async function* readOsvDocuments(
  source: AsyncIterable<Uint8Array> | string,
  kind: OsvDocumentKind,
): AsyncGenerator<OsvReading> {
  const splitter = kind === 'jsonl' ? new LineSplitter() : new ItemSplitter();
  try {
    for await (const chunk of decompressed(typeof source === 'string' ? textChunks(source) : source))
      for (const piece of splitter.push(chunk)) yield readOsvDocument(piece);
  } catch (cause) {
    if (!isDamaged(cause)) throw cause;
    yield {
      ok: false,
      where: 'the stream',
      error: new LazaretError('invalid', 'the compressed bytes are damaged or cut off', { cause }),
    };
    return;
  }
  for (const piece of splitter.end()) yield readOsvDocument(piece);
}

/** `bytes` is undefined for a document that was over the limit and left out. */
export interface Piece {
  readonly where: string;
  readonly bytes: Uint8Array | undefined;
}

export function readOsvDocument({ where, bytes }: Piece): OsvReading {
  try {
    if (bytes === undefined)
      throw new LazaretError(
        'tooLarge',
        `${where}: an advisory of more than ${limits.advisoryBytesMax} bytes`,
        {
          detail: { limit: 'advisoryBytesMax' },
        },
      );
    if (isDeeper(bytes, limits.advisoryDepthMax))
      throw new LazaretError(
        'invalid',
        `more than ${limits.advisoryDepthMax} lists and objects in one another`,
        {
          detail: { limit: 'advisoryDepthMax' },
        },
      );
    return { ok: true, advisory: parseOsv(parseJsonField(bytes, 'advisory').value), bytes, where };
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error;
    const id = typeof error.detail?.id === 'string' ? error.detail.id : undefined;
    return { ok: false, error, where, salvaged: salvage(bytes ?? new Uint8Array(), id) };
  }
}

/** What is deeper could be parsed, but written again only by what overflows the stack. A short text can't be. */
function isDeeper(bytes: Uint8Array, depthMax: number): boolean {
  if (bytes.length <= 2 * depthMax) return false;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inText) {
      if (byte === backslash) at++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > depthMax) return true;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  return false;
}

/** The bytes of one document as they gather; past the limit they are counted out, not kept. */
class Gathered {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes <= limits.advisoryBytesMax) this.#parts.push(part);
    else this.#parts = [];
  }

  /** The piece, unless it is blank; starts afresh. */
  take(where: string): Piece | undefined {
    const bytes = this.#bytes > limits.advisoryBytesMax ? undefined : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return bytes?.every(isBlank) ? undefined : { where, bytes };
  }
}

class LineSplitter {
  readonly #gathered = new Gathered();
  #line = 1;

  *push(chunk: Uint8Array): Iterable<Piece> {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      this.#gathered.add(chunk.subarray(from, at));
      from = at + 1;
      yield* this.#take();
      this.#line++;
    }
    this.#gathered.add(chunk.subarray(from));
  }

  end(): Iterable<Piece> {
    return this.#take();
  }

  *#take(): Iterable<Piece> {
    const piece = this.#gathered.take(`line ${this.#line}`);
    if (piece !== undefined) yield piece;
  }
}

/** Cuts the items of an array at its own commas; anything that does not begin with `[` is one document. */
class ItemSplitter {
  readonly #gathered = new Gathered();
  #inArray: boolean | undefined;
  #depth = 0;
  #inText = false;
  #escaped = false;
  #item = 0;

  *push(chunk: Uint8Array): Iterable<Piece> {
    let from = this.#begin(chunk);
    if (this.#inArray !== true) return this.#gathered.add(chunk);
    for (let at = from; at < chunk.length; at++) {
      if (!this.#endsItem(chunk[at])) continue;
      this.#gathered.add(chunk.subarray(from, at));
      from = at + 1;
      yield* this.#take();
    }
    this.#gathered.add(chunk.subarray(from));
  }

  end(): Iterable<Piece> {
    return this.#take();
  }

  /** Decides by the first byte that is not blank; where the items begin. */
  #begin(chunk: Uint8Array): number {
    if (this.#inArray !== undefined) return 0;
    const at = chunk.findIndex((byte) => !isBlank(byte));
    if (at === -1) return 0;
    this.#inArray = chunk[at] === openBracket;
    return this.#inArray ? at + 1 : 0;
  }

  #endsItem(byte: number | undefined): boolean {
    if (this.#inText) {
      if (byte === quote && !this.#escaped) this.#inText = false;
      this.#escaped = byte === backslash && !this.#escaped;
      return false;
    }
    if (byte === quote) this.#inText = true;
    else if (byte === openBrace || byte === openBracket) this.#depth++;
    else if (byte === closeBrace || byte === closeBracket) return this.#depth-- === 0;
    return byte === comma && this.#depth === 0;
  }

  *#take(): Iterable<Piece> {
    const piece = this.#gathered.take(this.#inArray === true ? `item ${this.#item++}` : 'document');
    if (piece !== undefined) yield piece;
  }
}

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === newline || byte === 0x0d;
}

async function* textChunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
