import { TarProblem } from './tar-problem.ts';

/** What the extended header of one entry says, as far as it matters here (POSIX pax; GNU's sparse formats 0.x and 1.0). */
export interface Pax {
  readonly path?: string;
  readonly linkPath?: string;
  readonly sizeBytes?: number;
  readonly sparse: boolean;
  /** Of a sparse file, when unpacked. */
  readonly sparseSizeBytes?: number;
}

export const noPax: Pax = { sparse: false };

/** Records are `LENGTH KEY=VALUE\n`, the length in bytes and of the whole record. @throws TarProblem */
export function parsePax(bytes: Buffer): Pax {
  const records = new Map<string, string>();
  let sparse = false;
  for (let at = 0; at < bytes.length; ) {
    const { key, value, end } = record(bytes, at);
    // An empty value takes a record back.
    if (value === '') records.delete(key);
    else records.set(key, value);
    sparse ||= key.startsWith('GNU.sparse.');
    at = end;
  }
  const path = records.get('GNU.sparse.name') ?? records.get('path');
  const linkPath = records.get('linkpath');
  const sizeBytes = size(records.get('size'));
  const sparseSizeBytes = size(records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size'));
  return {
    sparse,
    ...(path === undefined ? {} : { path: withoutNul(path) }),
    ...(linkPath === undefined ? {} : { linkPath: withoutNul(linkPath) }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(sparseSizeBytes === undefined ? {} : { sparseSizeBytes }),
  };
}

function record(bytes: Buffer, start: number): { key: string; value: string; end: number } {
  const space = bytes.indexOf(0x20, start);
  const digits = space === -1 || space - start > 10 ? '' : bytes.toString('latin1', start, space);
  const end = /^[0-9]+$/.test(digits) ? start + Number(digits) : 0;
  const equals = bytes.indexOf(0x3d, space);
  if (end <= space || end > bytes.length || bytes[end - 1] !== 0x0a || equals === -1 || equals >= end)
    throw new TarProblem('a malformed extended header');
  return {
    key: bytes.toString('utf8', space + 1, equals),
    value: bytes.toString('utf8', equals + 1, end - 1),
    end,
  };
}

function size(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) throw new TarProblem('an extended header with an impossible size');
  return bytes;
}

function withoutNul(path: string): string {
  if (path.includes('\0')) throw new TarProblem('a path with a NUL');
  return path;
}
