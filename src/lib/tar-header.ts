/**
 * One 512-byte header block, read as Go's archive/tar reads it, since that is what unpacks images almost everywhere:
 * what a runtime would see is what must be inspected. POSIX ustar and pax, GNU, and the format of V7 Unix.
 */
import { TarProblem } from './tar-problem.ts';

export const blockBytes = 512;

export interface TarBlock {
  readonly name: string;
  readonly linkName: string;
  /** The type flag as a character; V7's NUL stays NUL. */
  readonly type: string;
  readonly mode: number;
  /** As stated: entries that are only a header may state a size and have no data. */
  readonly sizeBytes: number;
}

/** @throws TarProblem */
export function readTarBlock(block: Buffer): TarBlock {
  if (!checksumFits(block)) throw new TarProblem('a header block whose checksum is wrong');
  const name = text(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: block[157] === 0 ? '' : text(block, 157, 100),
    type: String.fromCharCode(block[156] ?? 0),
    mode: number(block, 100, 8) & 0o7777,
    sizeBytes: size(block, 124, 12),
  };
}

/** The file's size when unpacked, of an old GNU sparse entry. */
export function sparseSize(block: Buffer): number {
  return size(block, 483, 12);
}

export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < blockBytes; at += 1) if (block[at] !== 0) return false;
  return true;
}

/** The sum of all bytes, the checksum's own eight taken as blanks; old writers summed signed bytes. */
function checksumFits(block: Buffer): boolean {
  let unsigned = 8 * 32;
  let signed = 8 * 32;
  for (let at = 0; at < blockBytes; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = number(block, 148, 8);
  return stated === unsigned || stated === signed;
}

function prefixOf(block: Buffer): string {
  const magic = block.toString('latin1', 257, 265);
  // GNU keeps times where ustar keeps the prefix. Some writers say GNU and put a prefix there all the same.
  if (magic === 'ustar  \0')
    return looksNumeric(block, 345) && looksNumeric(block, 357) ? '' : text(block, 345, 155);
  if (magic !== 'ustar\x0000') return '';
  const star = block.toString('latin1', 508, 512) === 'tar\0';
  return text(block, 345, star ? 131 : 155);
}

function looksNumeric(block: Buffer, start: number): boolean {
  return (
    ((block[start] ?? 0) & 0x80) !== 0 ||
    /^[ \0]*[0-7]*[ \0]*$/.test(block.toString('latin1', start, start + 12))
  );
}

function text(block: Buffer, start: number, length: number): string {
  const nul = block.indexOf(0, start);
  return block.toString('utf8', start, nul === -1 ? start + length : Math.min(nul, start + length));
}

function size(block: Buffer, start: number, length: number): number {
  const bytes = number(block, start, length);
  if (bytes < 0 || !Number.isSafeInteger(bytes)) throw new TarProblem('a header with an impossible size');
  return bytes;
}

/** Octal digits between blanks or NULs, or, with the top bit set, a big-endian number (GNU). */
function number(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return binaryNumber(block, start, length);
  let value = 0;
  let digits = 0;
  for (let at = start; at < start + length; at += 1) {
    const byte = block[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + byte - 0x30;
      digits += 1;
    } else if (byte !== 0x20 && byte !== 0) throw new TarProblem('a header with a number that is none');
    else if (digits > 0) break;
  }
  return value;
}

function binaryNumber(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x40) !== 0) return -1;
  let value = first & 0x3f;
  for (let at = start + 1; at < start + length; at += 1) value = value * 256 + (block[at] ?? 0);
  return value;
}
