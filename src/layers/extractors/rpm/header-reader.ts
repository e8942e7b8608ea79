/**
 * What the readers of rpm's three databases share. A reader seeks in the file and gives one header after the other; it
 * throws `BrokenDatabase` at what it can't go on from, and what it gave before stays. A file may be made to keep its
 * reader busy: no reader gives more bytes of headers than the file has.
 */
import { limits } from '../../../lib/limits.ts';
import type { FileContent } from '../../extractor.ts';

/** Headers, each valid until the next one is asked for. @throws BrokenDatabase */
export type HeaderReader = (content: FileContent) => Generator<Uint8Array>;

export class BrokenDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenDatabase';
  }
}

/** @throws BrokenDatabase if the file has not that many bytes there */
export function readExactly(content: FileContent, offset: number, length: number): Uint8Array {
  const bytes = content.read(offset, length);
  if (bytes.length !== length) throw new BrokenDatabase(`it ends before byte ${offset + length}`);
  return bytes;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const smallestBytes = 32;

/** Counts what the headers of one database take. */
export class HeaderBudget {
  #leftBytes: number;

  constructor(content: FileContent) {
    this.#leftBytes = content.sizeBytes;
  }

  /** Before so many bytes are read; few are taken for some, so that small ones can't be without number. @throws BrokenDatabase */
  take(bytes: number): void {
    if (bytes > limits.rpmHeaderBytesMax)
      throw new BrokenDatabase(`a header of ${bytes} bytes; at most ${limits.rpmHeaderBytesMax} are read`);
    this.#leftBytes -= Math.max(bytes, smallestBytes);
    if (this.#leftBytes < 0) throw new BrokenDatabase('its headers overlap');
  }
}
