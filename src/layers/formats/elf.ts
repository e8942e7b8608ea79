import { ContentProblem } from '../../lib/content-problem.ts';
import type { FileContent } from '../extractor.ts';
import { BinaryReader } from './binary-reader.ts';
import type { ExecutableFile, ExecutableLimits, Segment } from './executable-layout.ts';

const sectionWithoutBytes = 8;
const sectionWritable = 1;
const segmentLoaded = 1;
const segmentExecutable = 1;
const segmentWritable = 2;
const nameTableBytesMax = 64 * 1024;

/** Where a header has its fields, by the size of a pointer. */
const layouts = {
  4: { segmentsAt: 28, sectionsAt: 32, sizesAt: 40, segmentBytes: 32, sectionBytes: 40 },
  8: { segmentsAt: 32, sectionsAt: 40, sizesAt: 52, segmentBytes: 56, sectionBytes: 64 },
} as const;

interface Header {
  readonly reader: BinaryReader;
  readonly littleEndian: boolean;
  readonly pointerBytes: 4 | 8;
  readonly limits: ExecutableLimits;
}

/** @throws ContentProblem */
export function readElf(content: FileContent, limits: ExecutableLimits): ExecutableFile {
  const [, , , , size, order] = content.read(0, 6);
  if ((size !== 1 && size !== 2) || (order !== 1 && order !== 2))
    throw new ContentProblem('a broken ELF header');
  const littleEndian = order === 1;
  const reader = BinaryReader.at(content, { offset: 0, length: size === 2 ? 64 : 52, littleEndian });
  const header: Header = { reader, littleEndian, pointerBytes: size === 2 ? 8 : 4, limits };
  return {
    littleEndian,
    pointerBytes: header.pointerBytes,
    sections: readSections(content, header),
    segments: readSegments(content, header),
  };
}

function readSections(content: FileContent, header: Header): readonly Segment[] {
  const { reader, pointerBytes: bytes } = header;
  const { sectionsAt, sizesAt, sectionBytes } = layouts[bytes];
  const table = {
    offset: reader.word(sectionsAt, bytes),
    count: reader.u16(sizesAt + 8),
    entryBytes: sectionBytes,
  };
  // What is stripped of its section table has no sections; a table that is not where the header says is broken.
  if (table.offset === 0 || table.count === 0) return [];
  if (reader.u16(sizesAt + 6) !== sectionBytes) throw new ContentProblem('a broken ELF section table');
  const rows = readTable(content, header, table);
  const wide = bytes === 8;
  const raw = Array.from({ length: table.count }, (_, index) => {
    const at = index * sectionBytes;
    return {
      nameAt: rows.u32(at),
      type: rows.u32(at + 4),
      writable: (rows.word(at + 8, bytes) & sectionWritable) !== 0,
      address: rows.word(at + (wide ? 16 : 12), bytes),
      offset: rows.word(at + (wide ? 24 : 16), bytes),
      sizeBytes: rows.word(at + (wide ? 32 : 20), bytes),
    };
  });
  const nameTable = raw[reader.u16(sizesAt + 10)];
  if (nameTable === undefined) return [];
  const length = Math.min(nameTable.sizeBytes, nameTableBytesMax);
  const names = new BinaryReader(content.read(nameTable.offset, length), true);
  return raw
    .filter(({ type }) => type !== sectionWithoutBytes)
    .map(({ nameAt, type: _, ...section }) => ({ ...section, name: names.text(nameAt, 256) }));
}

function readSegments(content: FileContent, header: Header): readonly Segment[] {
  const { reader, pointerBytes: bytes } = header;
  const { segmentsAt, sizesAt, segmentBytes } = layouts[bytes];
  const table = {
    offset: reader.word(segmentsAt, bytes),
    count: reader.u16(sizesAt + 4),
    entryBytes: segmentBytes,
  };
  if (table.offset === 0 || table.count === 0) return [];
  if (reader.u16(sizesAt + 2) !== segmentBytes) throw new ContentProblem('a broken ELF program header');
  const rows = readTable(content, header, table);
  const wide = bytes === 8;
  return Array.from({ length: table.count }, (_, index) => {
    const at = index * segmentBytes;
    const flags = rows.u32(at + (wide ? 4 : 24));
    return {
      name: '',
      type: rows.u32(at),
      writable: (flags & (segmentWritable | segmentExecutable)) === segmentWritable,
      offset: rows.word(at + (wide ? 8 : 4), bytes),
      address: rows.word(at + (wide ? 16 : 8), bytes),
      sizeBytes: rows.word(at + (wide ? 32 : 16), bytes),
    };
  }).filter(({ type }) => type === segmentLoaded);
}

function readTable(
  content: FileContent,
  { littleEndian, limits }: Header,
  { offset, count, entryBytes }: { offset: number; count: number; entryBytes: number },
): BinaryReader {
  const { executableSectionsMax: max } = limits;
  if (count > max) throw new ContentProblem(`${count} sections in an executable; at most ${max} are read`);
  return BinaryReader.at(content, { offset, length: count * entryBytes, littleEndian });
}
