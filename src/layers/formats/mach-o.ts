import { ContentProblem } from '../../lib/content-problem.ts';
import type { FileContent } from '../extractor.ts';
import { BinaryReader } from './binary-reader.ts';
import type { ExecutableFile, ExecutableLimits, Segment } from './executable-layout.ts';

const littleEndian = true;
const commandsBytesMax = 1024 * 1024;
const segmentCommands = { 4: 0x1, 8: 0x19 } as const;
const writableProtection = 2;

/** Programs of one architecture. @throws ContentProblem */
export function readMachO(
  content: FileContent,
  { executableSectionsMax: max }: ExecutableLimits,
): ExecutableFile {
  const pointerBytes = content.read(0, 1)[0] === 0xcf ? 8 : 4;
  const headerBytes = pointerBytes === 8 ? 32 : 28;
  const header = BinaryReader.at(content, { offset: 0, length: headerBytes, littleEndian });
  const commandsBytes = header.u32(20);
  if (commandsBytes > commandsBytesMax) throw new ContentProblem('a broken Mach-O header');
  const commands = BinaryReader.at(content, { offset: headerBytes, length: commandsBytes, littleEndian });
  const sections: Segment[] = [];
  for (let at = 0, index = 0; index < header.u32(16) && at + 8 <= commandsBytes; index += 1) {
    const size = commands.u32(at + 4);
    if (size < 8 || at + size > commandsBytes) throw new ContentProblem('a broken Mach-O load command');
    if (commands.u32(at) === segmentCommands[pointerBytes])
      sections.push(...sectionsOf(commands, { at, size, pointerBytes }));
    if (sections.length > max) throw new ContentProblem(`more than ${max} sections in an executable`);
    at += size;
  }
  return { littleEndian, pointerBytes, sections, segments: sections };
}

function sectionsOf(
  commands: BinaryReader,
  { at, size, pointerBytes }: { at: number; size: number; pointerBytes: 4 | 8 },
): Segment[] {
  const wide = pointerBytes === 8;
  const [headBytes, sectionBytes] = wide ? [72, 80] : [56, 68];
  if (size < headBytes) return [];
  const writable = (commands.u32(at + (wide ? 60 : 44)) & writableProtection) !== 0;
  const room = Math.floor((size - headBytes) / sectionBytes);
  return Array.from({ length: Math.min(commands.u32(at + (wide ? 64 : 48)), room) }, (_, index) => {
    const from = at + headBytes + index * sectionBytes;
    return {
      name: `${commands.text(from + 16, 16)},${commands.text(from, 16)}`,
      address: commands.word(from + 32, pointerBytes),
      sizeBytes: commands.word(from + 32 + pointerBytes, pointerBytes),
      offset: commands.u32(from + 32 + 2 * pointerBytes),
      writable,
    };
  });
}
