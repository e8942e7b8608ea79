import { ContentProblem } from '../../lib/content-problem.ts';
import type { FileContent } from '../extractor.ts';
import { BinaryReader } from './binary-reader.ts';
import type { ExecutableFile, ExecutableLimits } from './executable-layout.ts';

const littleEndian = true;
const wideMagic = 0x20b;
const sectionBytes = 40;
const sectionWritable = 0x80000000;

/** Also of programs for DOS, which begin alike: those are no PE and have no sections. @throws ContentProblem */
export function readPe(
  content: FileContent,
  { executableSectionsMax: max }: ExecutableLimits,
): ExecutableFile {
  const none: ExecutableFile = { littleEndian, pointerBytes: 8, sections: [], segments: [] };
  const start = content.read(0, 64);
  if (start.length < 64) return none;
  const offset = new BinaryReader(start, littleEndian).u32(60);
  const signature = content.read(offset, 24);
  if (signature.length < 24) return none;
  const header = new BinaryReader(signature, littleEndian);
  if (header.u32(0) !== 0x4550) return none;
  const count = header.u16(6);
  if (count > max) throw new ContentProblem(`${count} sections in an executable; at most ${max} are read`);
  const optionalBytes = header.u16(20);
  const optional = BinaryReader.at(content, {
    offset: offset + 24,
    length: Math.max(optionalBytes, 32),
    littleEndian,
  });
  const pointerBytes = optional.u16(0) === wideMagic ? 8 : 4;
  const base = pointerBytes === 8 ? optional.u64(24) : optional.u32(28);
  const rows = BinaryReader.at(content, {
    offset: offset + 24 + optionalBytes,
    length: count * sectionBytes,
    littleEndian,
  });
  const sections = Array.from({ length: count }, (_, index) => {
    const at = index * sectionBytes;
    return {
      name: rows.text(at, 8),
      address: base + rows.u32(at + 12),
      sizeBytes: rows.u32(at + 16),
      offset: rows.u32(at + 20),
      writable: (rows.u32(at + 36) & sectionWritable) !== 0,
    };
  });
  return { littleEndian, pointerBytes, sections, segments: sections };
}
