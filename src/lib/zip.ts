/**
 * Reads zip archives (APPNOTE 6.3.10) as a Java runtime does: by the central directory, which is found from the file's
 * end, so that bytes before the archive (an executable jar's script) move everything and matter to nothing. What the
 * local headers say beside it is not believed: where they name another file, where entries lie on each other or beyond
 * the directory, the archive is not read and its reader learns why. Sizes are claims; what is unpacked is bounded.
 */
import { constants, inflateRawSync } from 'node:zlib';
import { ContentProblem } from './content-problem.ts';

/** The archive's bytes. */
export interface ZipContent {
  readonly sizeBytes: number;
  /** The bytes from `offset` on: `length` of them, fewer where they end. @throws ContentProblem for too many at once */
  read(offset: number, length: number): Uint8Array;
}

export interface ZipEntry {
  /** As it is written: with slashes, UTF-8. */
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  /** Of its local header, from the file's start. */
  readonly offset: number;
}

export interface ZipDirectory {
  /** Files, not folders, in the order of the directory. */
  readonly entries: readonly ZipEntry[];
  /** Where the directory begins: no entry reaches beyond. */
  readonly directoryOffset: number;
}

export interface ZipLimits {
  readonly archiveMembersMax: number;
  readonly archiveDirectoryBytesMax: number;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const commentBytesMax = 0xffff;
const end64Signature = 0x06064b50;
const end64Bytes = 56;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const centralSignature = 0x02014b50;
const centralBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
const stored = 0;
const deflated = 8;

/** @throws ContentProblem when it is no zip archive, over a limit, or contradicts itself */
export function readZipDirectory(content: ZipContent, limits: ZipLimits): ZipDirectory {
  const place = findDirectory(content);
  const { archiveDirectoryBytesMax: bytesMax } = limits;
  if (place.bytes > bytesMax)
    throw new ContentProblem(`a zip directory of ${place.bytes} bytes; at most ${bytesMax} are read`);
  const directory = bufferOf(content.read(place.offset, place.bytes));
  const entries: ZipEntry[] = [];
  for (let at = 0; at < directory.length; ) {
    if (at + centralBytes > directory.length || directory.readUInt32LE(at) !== centralSignature)
      throw new ContentProblem('a broken zip directory');
    const { entry, bytes } = centralEntry(directory, at, place.movedBytes);
    if (!entry.name.endsWith('/')) entries.push(entry);
    if (entries.length > limits.archiveMembersMax)
      throw new ContentProblem(`more than ${limits.archiveMembersMax} files in one archive`);
    at += bytes;
  }
  checkPlaces(entries, place.offset);
  return { entries, directoryOffset: place.offset };
}

/** The file's bytes as it is stored, compressed or not. @throws ContentProblem */
export function readZipEntry(
  content: ZipContent,
  { directoryOffset }: ZipDirectory,
  { entry, bytesMax }: { readonly entry: ZipEntry; readonly bytesMax: number },
): Uint8Array {
  if (entry.encrypted) throw new ContentProblem('it is encrypted');
  if (entry.method !== stored && entry.method !== deflated)
    throw new ContentProblem(`it is compressed by method ${entry.method}, which is not supported`);
  if (Math.max(entry.sizeBytes, entry.compressedBytes) > bytesMax)
    throw new ContentProblem(`it has ${entry.sizeBytes} bytes; at most ${bytesMax} are unpacked`);
  const bytes = content.read(dataOffset(content, entry, directoryOffset), entry.compressedBytes);
  if (bytes.length < entry.compressedBytes) throw new ContentProblem('it is cut off');
  return entry.method === stored ? bytes : inflate(bytes, entry.sizeBytes);
}

/** The place of a stored entry's bytes. @throws ContentProblem */
export function dataOffset(content: ZipContent, entry: ZipEntry, directoryOffset: number): number {
  const header = bufferOf(content.read(entry.offset, localBytes));
  if (header.length < localBytes || header.readUInt32LE(0) !== localSignature)
    throw new ContentProblem('it has no local header');
  const nameBytes = header.readUInt16LE(26);
  const name = bufferOf(content.read(entry.offset + localBytes, nameBytes)).toString('utf8');
  if (name !== entry.name) throw new ContentProblem('its local header names another file');
  const offset = entry.offset + localBytes + nameBytes + header.readUInt16LE(28);
  if (offset + entry.compressedBytes > directoryOffset)
    throw new ContentProblem('it reaches beyond the place of the files');
  return offset;
}

/** A file that unpacks to more than it says is refused: whoever trusts its size would see less of it. */
function inflate(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const maxOutputLength = Math.max(1, sizeBytes);
  // One byte more than it needs, so that one step is enough; never what only a wrong size asks for.
  const chunkSize = Math.max(constants.Z_MIN_CHUNK, Math.min(sizeBytes, bytes.length * 1_032) + 1);
  try {
    return inflateRawSync(bytes, { maxOutputLength, chunkSize });
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new ContentProblem(
      tooLarge ? 'it unpacks to more than it says' : 'its compressed bytes are broken',
    );
  }
}

interface DirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  /** By which every offset in the archive is too small, since something was put before it. */
  readonly movedBytes: number;
}

/**
 * From the end back: a comment may hold what looks like an end, so each is tried until one fits; that of an empty archive,
 * which fits anywhere, last.
 */
function findDirectory(content: ZipContent): DirectoryPlace {
  const tailBytes = Math.min(content.sizeBytes, endBytes + commentBytesMax + locatorBytes + end64Bytes);
  const tailOffset = content.sizeBytes - tailBytes;
  const tail = bufferOf(content.read(tailOffset, tailBytes));
  let empty: DirectoryPlace | undefined;
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== endSignature) continue;
    const place = placeAt(content, tailOffset + at, tail.subarray(at));
    if (place !== undefined && place.bytes > 0) return place;
    empty ??= place;
  }
  if (empty !== undefined) return empty;
  throw new ContentProblem('it is no zip archive');
}

function placeAt(content: ZipContent, endOffset: number, end: Buffer): DirectoryPlace | undefined {
  if (end.readUInt16LE(20) > end.length - endBytes) return undefined;
  const claims = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  const large = claims[0] === 0xffff || claims[1] === 0xffffffff || claims[2] === 0xffffffff;
  const [bytes, claimedOffset, recordOffset] = (large && end64(content, endOffset)) || [
    end.readUInt32LE(12),
    end.readUInt32LE(16),
    endOffset,
  ];
  const offset = recordOffset - bytes;
  const movedBytes = offset - claimedOffset;
  if (offset < 0 || movedBytes < 0) return undefined;
  const first = bufferOf(content.read(offset, 4));
  const begins = bytes === 0 || (first.length === 4 && first.readUInt32LE(0) === centralSignature);
  return begins ? { offset, bytes, movedBytes } : undefined;
}

/** The zip64 record, which ends right before its locator: the directory's size, its claimed offset, its own place. */
function end64(content: ZipContent, endOffset: number): readonly [number, number, number] | undefined {
  const recordOffset = endOffset - locatorBytes - end64Bytes;
  if (recordOffset < 0) return undefined;
  const record = bufferOf(content.read(recordOffset, end64Bytes + locatorBytes));
  if (record.readUInt32LE(0) !== end64Signature || record.readUInt32LE(end64Bytes) !== locatorSignature)
    return undefined;
  return [Number(record.readBigUInt64LE(40)), Number(record.readBigUInt64LE(48)), recordOffset];
}

function centralEntry(directory: Buffer, at: number, movedBytes: number): { entry: ZipEntry; bytes: number } {
  const nameBytes = directory.readUInt16LE(at + 28);
  const extraBytes = directory.readUInt16LE(at + 30);
  const bytes = centralBytes + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  if (at + bytes > directory.length) throw new ContentProblem('a broken zip directory');
  const extraAt = at + centralBytes + nameBytes;
  const [sizeBytes, compressedBytes, offset] = wideFields(directory.subarray(extraAt, extraAt + extraBytes), [
    directory.readUInt32LE(at + 24),
    directory.readUInt32LE(at + 20),
    directory.readUInt32LE(at + 42),
  ]);
  const entry = {
    name: directory.toString('utf8', at + centralBytes, extraAt),
    method: directory.readUInt16LE(at + 10),
    encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
    compressedBytes,
    sizeBytes,
    offset: offset + movedBytes,
  };
  return { entry, bytes };
}

type Fields = readonly [sizeBytes: number, compressedBytes: number, offset: number];

/** APPNOTE 4.5.3: of the fields that are all ones, in this order, the zip64 extra field has the values. */
function wideFields(extra: Buffer, fields: Fields): Fields {
  if (!fields.includes(0xffffffff)) return fields;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let next = at + 4;
    const wide = (field: number) => {
      if (field !== 0xffffffff || next + 8 > extra.length) return field;
      next += 8;
      return Number(extra.readBigUInt64LE(next - 8));
    };
    return [wide(fields[0]), wide(fields[1]), wide(fields[2])];
  }
  return fields;
}

/** Entries that share bytes unpack to any size from a small file; no archiver writes them. */
function checkPlaces(entries: readonly ZipEntry[], directoryOffset: number): void {
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) throw new ContentProblem('entries of the archive lie on each other');
    end = entry.offset + localBytes + Buffer.byteLength(entry.name) + entry.compressedBytes;
    if (end > directoryOffset) throw new ContentProblem('an entry reaches beyond the place of the files');
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
