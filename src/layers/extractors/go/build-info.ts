/**
 * What Go's linker writes into each executable (debug/buildinfo): the compiler's version, and, of programs built as
 * modules, the modules that went into it. The block begins with a magic and lies in a section of its own, or, where the
 * table of sections was stripped, at the start of the data. Since Go 1.18 the two texts follow the block; before, it has
 * addresses of two Go strings, which are an address and a length each.
 */

import { ContentProblem } from '../../../lib/content-problem.ts';
import type { FileContent } from '../../extractor.ts';
import { readAddress, readExecutable } from '../../formats/executable-file.ts';
import type { ExecutableFile, ExecutableLimits, Segment } from '../../formats/executable-layout.ts';

export interface GoBuildInfo {
  /** `go1.19.8`, `devel …`. */
  readonly goVersion: string;
  readonly main?: GoModule;
  /** As they were built: what was replaced is the replacement. */
  readonly dependencies: readonly GoModule[];
}

export interface GoModule {
  readonly path: string;
  /** `v1.2.3`; `(devel)` or empty where the build did not know. */
  readonly version: string;
}

export interface GoLimits extends ExecutableLimits {
  readonly metadataBytesMax: number;
}

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const alignment = 16;
const headBytes = 32;
const searchBytes = 64 * 1024;
const sectionNames = new Set(['.go.buildinfo', '__DATA,__go_buildinfo']);

/** undefined when it is no Go program. @throws ContentProblem */
export function readGoBuildInfo(content: FileContent, limits: GoLimits): GoBuildInfo | undefined {
  const file = readExecutable(content, limits);
  const place = file.sections.find(({ name }) => sectionNames.has(name)) ?? dataStart(file);
  const offset = place === undefined ? undefined : findBlock(content, place);
  if (offset === undefined) return undefined;
  const head = content.read(offset, headBytes);
  if (head.length < headBytes) throw new ContentProblem("Go's build information is cut off");
  const texts =
    ((head[15] ?? 0) & 2) !== 0
      ? inlineTexts(content, { offset: offset + headBytes, limits })
      : pointedTexts(content, { file, head, limits });
  return { goVersion: texts.version, ...parseModules(texts.modules) };
}

/** Of PE, which has no section for it, and of what was stripped. */
function dataStart({ sections, segments }: ExecutableFile): Segment | undefined {
  const data = sections.find(({ name }) => name === '.data');
  const isStrippedOrPe = sections.length === 0 || sections === segments;
  if (!isStrippedOrPe) return undefined;
  return data ?? segments.find(({ writable }) => writable);
}

function findBlock(content: FileContent, { offset, sizeBytes }: Segment): number | undefined {
  const bytes = Buffer.from(content.read(offset, Math.min(sizeBytes, searchBytes)));
  for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1))
    if (at % alignment === 0) return offset + at;
  return undefined;
}

interface Texts {
  readonly version: string;
  readonly modules: string;
}

function inlineTexts(content: FileContent, { offset, limits }: { offset: number; limits: GoLimits }): Texts {
  const version = varintText(content, offset, limits);
  const modules = varintText(content, version.end, limits);
  return { version: version.text, modules: modules.text };
}

/** A length as a varint (binary.Uvarint), then so many bytes. */
function varintText(content: FileContent, offset: number, limits: GoLimits): { text: string; end: number } {
  const head = content.read(offset, 10);
  let length = 0;
  let at = 0;
  for (let byte = 0x80; byte >= 0x80; at += 1) {
    byte = head[at] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * at);
  }
  return {
    text: textAt(content.read(offset + at, bounded(length, limits)), length),
    end: offset + at + length,
  };
}

function pointedTexts(
  content: FileContent,
  { file, head, limits }: { file: ExecutableFile; head: Uint8Array; limits: GoLimits },
): Texts {
  const pointerBytes = head[14] === 4 ? 4 : 8;
  const littleEndian = ((head[15] ?? 0) & 1) === 0;
  const number = (bytes: Uint8Array, at: number) => {
    if (bytes.length < at + pointerBytes) throw new ContentProblem("Go's build information is cut off");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return pointerBytes === 8
      ? Number(view.getBigUint64(at, littleEndian))
      : view.getUint32(at, littleEndian);
  };
  const text = (headerAddress: number) => {
    if (headerAddress === 0) return '';
    const header = readAddress(content, file, { address: headerAddress, length: 2 * pointerBytes });
    if (header === undefined) throw new ContentProblem("Go's build information leads out of the file");
    const length = number(header, pointerBytes);
    if (length === 0) return '';
    const bytes = readAddress(content, file, { address: number(header, 0), length: bounded(length, limits) });
    return textAt(bytes ?? new Uint8Array(0), length);
  };
  return { version: text(number(head, 16)), modules: text(number(head, 16 + pointerBytes)) };
}

function bounded(length: number, { metadataBytesMax: max }: GoLimits): number {
  if (length > max)
    throw new ContentProblem(`Go's build information has ${length} bytes; at most ${max} are read`);
  return length;
}

function textAt(bytes: Uint8Array, length: number): string {
  if (bytes.length < length) throw new ContentProblem("Go's build information is cut off");
  return Buffer.from(bytes).toString('utf8');
}

const markBytes = 16;

/** runtime/debug.BuildInfo as text, between two marks of 16 bytes; a line each: `mod`, `dep`, `=>` for the `dep` before. */
function parseModules(text: string): Pick<GoBuildInfo, 'main' | 'dependencies'> {
  const start = text.indexOf('path\t');
  const from = start === -1 ? text.indexOf('mod\t') : start;
  let main: GoModule | undefined;
  const dependencies: GoModule[] = [];
  // The marks are no text: decoded they are at most so many characters, before the first line and after the last.
  if (from === -1 || from > markBytes * 3) return { dependencies };
  for (const line of text.slice(from).split('\n')) {
    const [kind, path = '', version = ''] = line.split('\t');
    if (path === '') continue;
    if (kind === 'mod') main = { path, version };
    else if (kind === 'dep') dependencies.push({ path, version });
    else if (kind === '=>' && dependencies.length > 0)
      dependencies[dependencies.length - 1] = { path, version };
  }
  return { dependencies, ...(main === undefined ? {} : { main }) };
}
