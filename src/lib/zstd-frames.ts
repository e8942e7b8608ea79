/**
 * Cuts a zstd stream at its frames, so that none of the pieces spans two. node:zlib's decompressor ends, silently,
 * with the frame that ends inside a piece it was given, and loses what follows; layers of many frames are usual
 * (parallel and seekable compressors write them), and content that a reader misses is content that nobody inspects.
 * Skippable frames are left out. The format: RFC 8878, section 3.1.
 */
import { ContentProblem } from './content-problem.ts';
import type { ByteSource } from './streams.ts';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const magicBytes = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

/** @throws ContentProblem when the stream ends inside a frame or something else than a frame follows one. */
export async function* zstdFrames(source: ByteSource): AsyncGenerator<Uint8Array> {
  const cutter = new FrameCutter();
  for await (const chunk of source) yield* cutter.push(chunk);
  cutter.end();
}

type FieldName = 'magic' | 'skippableSize' | 'descriptor' | 'blockHeader';
const fieldBytes = { magic: 4, skippableSize: 4, descriptor: 1, blockHeader: 3 } as const;

/** Reads a small field, then skips the bytes that it announces, then reads the next field, and so on. */
class FrameCutter {
  #field: FieldName = 'magic';
  #value = 0;
  #valueBytes = 0;
  #skip = 0;
  #checksumBytes = 0;
  #inFrame = false;
  #lastBlock = false;

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    let from = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#readByte(chunk[at++] ?? 0) && this.#value === frameMagic && !this.#inFrame) {
        // The magic may have begun in a former chunk: it is handed on in one piece, once it is known to be one.
        this.#inFrame = true;
        this.#expect('descriptor');
        from = at;
        yield magicBytes;
      } else if (this.#valueBytes === fieldBytes[this.#field]) this.#fieldEnd();
      if (this.#lastBlock && this.#skip === 0) {
        yield chunk.subarray(from, at);
        this.#inFrame = false;
        this.#lastBlock = false;
        this.#expect('magic');
      }
    }
    if (this.#inFrame && from < at) yield chunk.subarray(from, at);
  }

  end(): void {
    const between = this.#field === 'magic' && this.#valueBytes === 0 && this.#skip === 0 && !this.#inFrame;
    if (!between) throw new ContentProblem('truncated zstd: the stream ends inside a frame');
  }

  #expect(field: FieldName, skipFirst = 0): void {
    this.#field = field;
    this.#value = 0;
    this.#valueBytes = 0;
    this.#skip = skipFirst;
  }

  /** True when the field is complete. */
  #readByte(byte: number): boolean {
    this.#value += byte * 2 ** (8 * this.#valueBytes);
    this.#valueBytes += 1;
    return this.#field === 'magic' && this.#valueBytes === fieldBytes.magic;
  }

  #fieldEnd(): void {
    const value = this.#value;
    switch (this.#field) {
      case 'magic':
        if (value - (value % 16) !== skippableMagic)
          throw new ContentProblem('corrupt zstd: something else than a frame follows a frame');
        this.#expect('skippableSize');
        break;
      case 'skippableSize':
        this.#expect('magic', value);
        break;
      case 'descriptor':
        this.#descriptor(value);
        break;
      case 'blockHeader':
        this.#blockHeader(value);
    }
  }

  #descriptor(value: number): void {
    const singleSegment = (value >> 5) & 1;
    const contentSize = contentSizeBytes[value >> 6] || singleSegment;
    this.#checksumBytes = value & 4;
    this.#expect('blockHeader', 1 - singleSegment + (dictionaryIdBytes[value & 3] ?? 0) + contentSize);
  }

  #blockHeader(value: number): void {
    const type = (value >> 1) & 3;
    if (type === 3) throw new ContentProblem('corrupt zstd: a block of the reserved type');
    // A block of type 1 repeats one byte `size` times.
    const size = type === 1 ? 1 : value >> 3;
    this.#lastBlock = (value & 1) === 1;
    this.#expect('blockHeader', this.#lastBlock ? size + this.#checksumBytes : size);
  }
}
