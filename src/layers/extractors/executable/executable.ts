import { PackageURL } from 'packageurl-js';
import { limits } from '../../../lib/limits.ts';
import type { Extracted, Extractor, FileContent } from '../../extractor.ts';
import { isExecutable, readExecutable } from '../../formats/executable-file.ts';
import { type KnownProgram, knownPrograms } from './known-programs.ts';

const pieceBytes = 4 * 1024 * 1024;
/** A text and its version lie within so many bytes. */
const textBytesMax = 256;

/** Programs that were copied in without a package manager, and say their version in a text that they print. */
export const executable: Extractor = {
  name: 'executable',
  version: 2,
  fileBytesMax: limits.extractSpoolBytesMax,
  wants: ({ kind, path }) => kind === 'file' && programAt(path) !== undefined,
  accepts: isExecutable,
  extract: ({ path }, content): Extracted => {
    const program = programAt(path);
    if (program === undefined) return {};
    const version = versionIn(content, program);
    if (version === undefined)
      return program.ownName.test(path) && !startsLibrary(content, program)
        ? { problem: `no version of ${program.name} was found in it` }
        : {};
    const { name, ecosystem } = program;
    const purl = new PackageURL('generic', null, name, version, null, null).toString();
    return { packages: [{ purl, ecosystem, name, version }] };
  },
};

function programAt(path: string): KnownProgram | undefined {
  return knownPrograms.find(({ ownName, otherName }) => ownName.test(path) || otherName?.test(path));
}

function startsLibrary(content: FileContent, { library }: KnownProgram): boolean {
  const start = content.read(0, Math.min(content.sizeBytes, pieceBytes));
  return library !== undefined && Buffer.from(start).includes(library);
}

/** Texts lie in the read-only data; of a program without sections, anywhere. */
function versionIn(content: FileContent, program: KnownProgram): string | undefined {
  const { sections } = readExecutable(content, limits);
  const texts = sections.filter(({ name }) => program.sections.includes(name));
  const places = texts.length > 0 ? texts : [{ offset: 0, sizeBytes: content.sizeBytes }];
  for (const { offset, sizeBytes } of places) {
    const end = Math.min(offset + sizeBytes, content.sizeBytes);
    for (let at = offset; at < end; at += pieceBytes) {
      const piece = content.read(at, Math.min(pieceBytes + textBytesMax, end - at));
      const version = versionInPiece(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), program);
      if (version !== undefined) return version;
    }
  }
  return undefined;
}

function versionInPiece(piece: Buffer, { text, version }: KnownProgram): string | undefined {
  for (let at = piece.indexOf(text); at !== -1; at = piece.indexOf(text, at + 1)) {
    const found = version.exec(piece.toString('latin1', at, at + textBytesMax))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
