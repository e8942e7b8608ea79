import { ContentProblem } from '../../lib/content-problem.ts';
import type { FileContent } from '../extractor.ts';

/** Numbers of a file's header: in the file's own byte order, and all of them or an error. */
export class BinaryReader {
  readonly #bytes: Buffer;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = littleEndian;
  }

  /** @throws ContentProblem where the file ends before */
  static at(
    content: FileContent,
    place: { offset: number; length: number; littleEndian: boolean },
  ): BinaryReader {
    const bytes = content.read(place.offset, place.length);
    if (bytes.length < place.length) throw new ContentProblem('the executable is cut off');
    return new BinaryReader(bytes, place.littleEndian);
  }

  u16(at: number): number {
    return this.#littleEndian ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  u32(at: number): number {
    return this.#littleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** Rounded beyond 2^53, where no file has anything. */
  u64(at: number): number {
    return Number(this.#littleEndian ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at));
  }

  word(at: number, bytes: 4 | 8): number {
    return bytes === 8 ? this.u64(at) : this.u32(at);
  }

  /** Up to the first zero byte. */
  text(at: number, lengthMax: number): string {
    const zero = this.#bytes.indexOf(0, at);
    const end = Math.min(at + lengthMax, this.#bytes.length, zero === -1 ? this.#bytes.length : zero);
    return this.#bytes.toString('latin1', at, end);
  }
}
