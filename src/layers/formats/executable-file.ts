/**
 * What extractors need to know of an executable: its sections by name, and what a running program would have at an
 * address. ELF (System V ABI), PE (Microsoft's PE/COFF) and Mach-O (Apple's loader.h). Every count and offset is a claim of
 * the file: tables are read up to a limit, and what lies outside of the file is not there.
 */

import { ContentProblem } from '../../lib/content-problem.ts';
import type { FileContent } from '../extractor.ts';
import { readElf } from './elf.ts';
import type { ExecutableFile, ExecutableLimits } from './executable-layout.ts';
import { readMachO } from './mach-o.ts';
import { readPe } from './pe.ts';

/** Whether the first bytes are of one of the formats. */
export function isExecutable(start: Uint8Array): boolean {
  return formatOf(start) !== undefined;
}

/** @throws ContentProblem */
export function readExecutable(content: FileContent, limits: ExecutableLimits): ExecutableFile {
  switch (formatOf(content.read(0, 4))) {
    case 'elf':
      return readElf(content, limits);
    case 'pe':
      return readPe(content, limits);
    case 'mach-o':
      return readMachO(content, limits);
    case undefined:
      throw new ContentProblem('it is no executable');
  }
}

/** As much as there is from the address on, at most `length` bytes; undefined where nothing of the file is loaded. */
export function readAddress(
  content: FileContent,
  { segments }: ExecutableFile,
  { address, length }: { readonly address: number; readonly length: number },
): Uint8Array | undefined {
  const segment = segments.find((one) => one.address <= address && address < one.address + one.sizeBytes);
  if (segment === undefined) return undefined;
  const within = address - segment.address;
  return content.read(segment.offset + within, Math.min(length, segment.sizeBytes - within));
}

function formatOf(start: Uint8Array): 'elf' | 'pe' | 'mach-o' | undefined {
  if (start.length < 4) return undefined;
  const [a, b, c, d] = start;
  if (a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46) return 'elf';
  if (a === 0x4d && b === 0x5a) return 'pe';
  if ((a === 0xcf || a === 0xce) && b === 0xfa && c === 0xed && d === 0xfe) return 'mach-o';
  return undefined;
}
