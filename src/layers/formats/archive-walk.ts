/**
 * Everything in an archive, and in the archives in it: each file with its size and hash, and the texts that say what an
 * archive is. What can't be read is left out, and the first reason kept. All that a hostile archive can make it do is
 * bounded: files, depth, bytes unpacked, bytes held.
 */
import { createHash, hash } from 'node:crypto';
import { ContentProblem } from '../../lib/content-problem.ts';
import {
  dataOffset,
  readZipDirectory,
  readZipEntry,
  type ZipDirectory,
  type ZipEntry,
} from '../../lib/zip.ts';
import { memberPath } from '../entry-path.ts';
import type { FileContent } from '../extractor.ts';
import { contentOf } from '../file-content.ts';
import type { ArchiveMember } from '../inventory.ts';

export interface ArchiveFormat {
  /** Whether a member of this name is an archive itself. */
  isArchive(name: string): boolean;
  /** Whether a member of this name is a text that says something about its archive. */
  isMetadata(name: string): boolean;
}

export type ArchiveLimits = { readonly [K in ArchiveLimitName]: number };
type ArchiveLimitName =
  | 'archiveMembersMax'
  | 'archiveDirectoryBytesMax'
  | 'archivesNestedMax'
  | 'archiveDepthMax'
  | 'archiveMemberBytesMax'
  | 'archiveHeldBytesMax'
  | 'archiveUnpackedBytes'
  | 'archiveRatioMax'
  | 'metadataBytesMax'
  | 'archiveMetadataBytesMax'
  | 'layerPathBytesMax'
  | 'extractFileBytesMax';

export interface WalkedArchive {
  readonly members: readonly ArchiveMember[];
  /** The outermost first. */
  readonly archives: readonly OpenedArchive[];
  readonly problem?: string;
}

export interface OpenedArchive {
  /** Where in the outermost archive it lies; that itself has none. */
  readonly member?: string;
  /** Texts by the names of their files. */
  readonly metadata: ReadonlyMap<string, string>;
}

const pieceBytes = 1024 * 1024;

/** @throws ContentProblem when the outermost is no archive, or a broken one */
export function walkArchive(
  content: FileContent,
  format: ArchiveFormat,
  limits: ArchiveLimits,
): WalkedArchive {
  const walk = new ArchiveWalk(content.sizeBytes, format, limits);
  walk.open(content, readZipDirectory(content, limits), { depth: 0, heldBytes: 0 });
  return walk.result();
}

interface Place {
  readonly member?: string;
  readonly depth: number;
  /** What is unpacked around it. */
  readonly heldBytes: number;
}

class ArchiveWalk {
  readonly #format: ArchiveFormat;
  readonly #limits: ArchiveLimits;
  readonly #unpackBytesMax: number;
  readonly #members: ArchiveMember[] = [];
  readonly #archives: OpenedArchive[] = [];
  #unpackedBytes = 0;
  #metadataBytes = 0;
  #problem: string | undefined;
  #problems = 0;

  constructor(sizeBytes: number, format: ArchiveFormat, limits: ArchiveLimits) {
    this.#format = format;
    this.#limits = limits;
    this.#unpackBytesMax = Math.max(limits.archiveUnpackedBytes, sizeBytes * limits.archiveRatioMax);
  }

  result(): WalkedArchive {
    const more = this.#problems > 1 ? ` (and ${this.#problems - 1} more)` : '';
    const found = { members: this.#members, archives: this.#archives };
    return this.#problem === undefined ? found : { ...found, problem: `${this.#problem}${more}` };
  }

  open(content: FileContent, directory: ZipDirectory, place: Place): void {
    const metadata = new Map<string, string>();
    const { member } = place;
    this.#archives.push({ metadata, ...(member === undefined ? {} : { member }) });
    for (const entry of directory.entries) {
      const path = member === undefined ? entry.name : memberPath(member, entry.name);
      const over = this.#overLimit(entry, path);
      if (over === 'all') return;
      if (over === 'one') continue;
      const bytes = this.#bytes(content, directory, { entry, path });
      if (bytes === undefined) continue;
      const text = this.#format.isMetadata(entry.name) ? this.#text(path, bytes) : undefined;
      if (text !== undefined) metadata.set(entry.name, text);
      if (this.#format.isArchive(entry.name))
        this.#nested(bytes, { member: path, depth: place.depth + 1, heldBytes: place.heldBytes });
    }
  }

  /**
   * The beginning of a text that is very long: a signed jar's manifest has a paragraph for each file behind what it says of
   * the jar. All texts are held until the walk has ended, and read then.
   */
  #text(path: string, content: FileContent): string | undefined {
    const { metadataBytesMax, archiveMetadataBytesMax } = this.#limits;
    const bytes = content.read(0, metadataBytesMax);
    this.#metadataBytes += bytes.length;
    if (this.#metadataBytes <= archiveMetadataBytesMax) return Buffer.from(bytes).toString('utf8');
    this.#note(path, `more than ${archiveMetadataBytesMax} bytes of texts about archives`);
    return undefined;
  }

  #overLimit(entry: ZipEntry, path: string): 'all' | 'one' | undefined {
    const { archiveMembersMax, layerPathBytesMax } = this.#limits;
    if (this.#members.length >= archiveMembersMax) {
      this.#note(path, `more than ${archiveMembersMax} files in the archive`);
      return 'all';
    }
    if (path.length * 3 > layerPathBytesMax && Buffer.byteLength(path) > layerPathBytesMax) {
      this.#note(`${path.slice(0, 80)}…`, 'its path is too long');
      return 'one';
    }
    if (this.#unpackedBytes + entry.sizeBytes > this.#unpackBytesMax) {
      this.#note(path, `the archive unpacks to more than ${this.#unpackBytesMax} bytes`);
      this.#members.push({ path, sizeBytes: entry.sizeBytes });
      return 'one';
    }
    return undefined;
  }

  /** Its member is recorded, with the hash if it could be read; undefined if not. */
  #bytes(
    content: FileContent,
    directory: ZipDirectory,
    { entry, path }: { readonly entry: ZipEntry; readonly path: string },
  ): FileContent | undefined {
    try {
      const bytes = this.#unpacked(content, directory, entry);
      const { sizeBytes } = bytes;
      this.#unpackedBytes += sizeBytes;
      this.#members.push({ path, sizeBytes, sha256: hashOf(bytes) });
      return bytes;
    } catch (error) {
      if (!(error instanceof ContentProblem)) throw error;
      this.#note(path, error.message);
      this.#members.push({ path, sizeBytes: entry.sizeBytes });
      return undefined;
    }
  }

  /** What is stored as it is, is read where it lies. */
  #unpacked(content: FileContent, directory: ZipDirectory, entry: ZipEntry): FileContent {
    const bytesMax = this.#limits.archiveMemberBytesMax;
    const inPlace = entry.method === 0 && !entry.encrypted && entry.compressedBytes > pieceBytes;
    if (!inPlace) return contentOf(readZipEntry(content, directory, { entry, bytesMax }), this.#limits);
    const offset = dataOffset(content, entry, directory.directoryOffset);
    return partOf(content, offset, entry.compressedBytes);
  }

  #nested(content: FileContent, { member, depth, heldBytes }: Place & { readonly member: string }): void {
    const { archiveDepthMax, archivesNestedMax, archiveHeldBytesMax } = this.#limits;
    const held = heldBytes + content.sizeBytes;
    if (depth > archiveDepthMax) this.#note(member, `more than ${archiveDepthMax} archives in each other`);
    else if (this.#archives.length > archivesNestedMax)
      this.#note(member, `more than ${archivesNestedMax} archives in the archive`);
    else if (depth > 1 && held > archiveHeldBytesMax)
      this.#note(member, `archives in each other of more than ${archiveHeldBytesMax} bytes`);
    else {
      try {
        this.open(content, readZipDirectory(content, this.#limits), { member, depth, heldBytes: held });
      } catch (error) {
        if (!(error instanceof ContentProblem)) throw error;
        this.#note(member, error.message);
      }
    }
  }

  #note(path: string, problem: string): void {
    this.#problems += 1;
    this.#problem ??= `${path}: ${problem}`;
  }
}

function partOf(content: FileContent, from: number, sizeBytes: number): FileContent {
  const read = (offset: number, length: number) => {
    const at = Math.min(Math.max(offset, 0), sizeBytes);
    return content.read(from + at, Math.min(Math.max(length, 0), sizeBytes - at));
  };
  return { sizeBytes, read, all: () => read(0, sizeBytes) };
}

function hashOf(content: FileContent): Uint8Array {
  if (content.sizeBytes <= pieceBytes) return hash('sha256', content.all(), 'buffer');
  const whole = createHash('sha256');
  for (let at = 0; at < content.sizeBytes; at += pieceBytes) whole.update(content.read(at, pieceBytes));
  return whole.digest();
}
