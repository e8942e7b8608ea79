/**
 * A package's header as rpm's databases hold it (rpm's manual, "RPM package format", header structure, without the
 * eight bytes that lead it in package files). All numbers are big-endian:
 *
 *     index entries: u32 · bytes of data: u32 · entries of 16 bytes (tag, type, offset, count) · data
 *
 * An entry that comes later, as what rpm adds when it installs does, wins over one of the same tag.
 */
import { limits } from '../../../lib/limits.ts';

export interface RpmHeader {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly architecture: string | undefined;
  /** The source package's file: `openssl-3.0.1-23.el9_0.src.rpm`. */
  readonly sourceFile: string | undefined;
  readonly license: string | undefined;
}

const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  architecture: 1022,
  sourceFile: 1044,
} as const;

const types = { int32: 4, string: 6, stringArray: 8, i18nString: 9 } as const;
const stringTypes: readonly number[] = [types.string, types.stringArray, types.i18nString];
const wanted: ReadonlySet<number> = new Set(Object.values(tags));
const entryBytes = 16;

interface Entry {
  readonly type: number;
  readonly offset: number;
}

/** @returns a sentence for what rpm would not have written */
export function parseRpmHeader(blob: Uint8Array): RpmHeader | string {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 8) return 'a header that is too short';
  const count = view.getUint32(0);
  const dataBytes = view.getUint32(4);
  const dataStart = 8 + count * entryBytes;
  if (count === 0 || count > limits.rpmHeaderEntriesMax || dataStart + dataBytes > blob.length)
    return `a header of ${blob.length} bytes that says it has ${count} entries and ${dataBytes} bytes of data`;
  const entries = entriesOf(view, count);
  const data = blob.subarray(dataStart, dataStart + dataBytes);
  const text = (tag: number) => textAt(data, entries.get(tag));
  const name = text(tags.name);
  if (!name) return 'a header without a name, or with one that is too long';
  const [version, release] = [text(tags.version), text(tags.release)];
  if (!version || !release) return `the header of ${name} has no version`;
  return {
    name,
    epoch: numberAt(data, entries.get(tags.epoch)),
    version,
    release,
    architecture: text(tags.architecture),
    sourceFile: text(tags.sourceFile),
    license: text(tags.license),
  };
}

function entriesOf(view: DataView, count: number): ReadonlyMap<number, Entry> {
  const entries = new Map<number, Entry>();
  for (let at = 8, left = count; left > 0; at += entryBytes, left -= 1) {
    const tag = view.getUint32(at);
    if (wanted.has(tag)) entries.set(tag, { type: view.getUint32(at + 4), offset: view.getUint32(at + 8) });
  }
  return entries;
}

/** The first string, where there are several; one that is too long counts as none. */
function textAt(data: Uint8Array, entry: Entry | undefined): string | undefined {
  if (entry === undefined || !stringTypes.includes(entry.type)) return undefined;
  const end = data.indexOf(0, entry.offset);
  if (end <= entry.offset || end - entry.offset > limits.rpmTextBytesMax) return undefined;
  return Buffer.from(data.buffer, data.byteOffset + entry.offset, end - entry.offset).toString('utf8');
}

function numberAt(data: Uint8Array, entry: Entry | undefined): number {
  if (entry?.type !== types.int32 || entry.offset + 4 > data.length) return 0;
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(entry.offset);
}
