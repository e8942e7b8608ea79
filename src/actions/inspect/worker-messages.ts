/**
 * What pool and worker say to each other. The pool sends `inspect`, the worker answers with parts and, last, `end` or
 * `failed`. The worker may be `partsAhead` parts ahead of what the pool has asked for with `more`: so a slow database
 * slows the reading instead of filling the memory. One job at a time, so messages carry no job's name.
 */

import type { FileKind, InventoryPart, LayerFile } from '../../layers/inventory.ts';
import { causeChain, type ErrorCode, LazaretError } from '../../lib/errors.ts';
import type { InspectHow } from './inspector.ts';

export const partsAhead = 3;

export type ToWorker =
  | { readonly kind: 'inspect'; readonly key: string; readonly how: InspectHow }
  | { readonly kind: 'more' };

export type FromWorker =
  | { readonly kind: 'part'; readonly part: PackedPart }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Parts of files are packed in columns: a thousand small objects would take the receiver's event loop milliseconds. */
export type PackedPart =
  | Exclude<InventoryPart, { kind: 'files' | 'hiders' }>
  | { readonly kind: 'files' | 'hiders'; readonly packed: PackedFiles };

interface PackedFiles {
  readonly paths: readonly string[];
  readonly kinds: Uint8Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
  readonly modes: Uint16Array<ArrayBuffer>;
  /** 32 bytes each; zeros where there is none, told apart by `hashed`. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  readonly hashed: Uint8Array<ArrayBuffer>;
}

const kinds: readonly FileKind[] = ['file', 'directory', 'link', 'hardlink', 'device', 'whiteout', 'opaque'];
const hashBytes = 32;

/** With the buffers to hand over instead of copying. */
export function packPart(part: InventoryPart): { packed: PackedPart; transfer: ArrayBuffer[] } {
  if (part.kind === 'archive')
    return { packed: part, transfer: [part.archive.sizes.buffer, part.archive.hashes.buffer] };
  if (part.kind !== 'files' && part.kind !== 'hiders') return { packed: part, transfer: [] };
  const files = packFiles(part.files);
  const columns = [files.kinds, files.sizes, files.modes, files.hashes, files.hashed];
  return { packed: { kind: part.kind, packed: files }, transfer: columns.map((column) => column.buffer) };
}

export function unpackPart(part: PackedPart): InventoryPart {
  if (!('packed' in part)) return part;
  return {
    kind: part.kind,
    files: part.packed.paths.map((path, index) => unpackFile(part.packed, path, index)),
  };
}

export function packError(error: unknown): FromWorker {
  const code = error instanceof LazaretError ? error.code : 'internal';
  return { kind: 'failed', code, message: causeChain(error) };
}

function packFiles(files: readonly LayerFile[]): PackedFiles {
  const hashes = new Uint8Array(files.length * hashBytes);
  for (const [index, { sha256 }] of files.entries())
    if (sha256 !== undefined) hashes.set(sha256, index * hashBytes);
  return {
    paths: files.map(({ path }) => path),
    kinds: Uint8Array.from(files, ({ kind }) => kinds.indexOf(kind)),
    sizes: Float64Array.from(files, ({ sizeBytes }) => sizeBytes),
    modes: Uint16Array.from(files, ({ mode }) => mode),
    hashes,
    hashed: Uint8Array.from(files, ({ sha256 }) => (sha256 === undefined ? 0 : 1)),
  };
}

function unpackFile(packed: PackedFiles, path: string, index: number): LayerFile {
  const file = {
    path,
    kind: kinds[packed.kinds[index] ?? 0] ?? 'file',
    sizeBytes: packed.sizes[index] ?? 0,
    mode: packed.modes[index] ?? 0,
  };
  if (packed.hashed[index] !== 1) return file;
  return { ...file, sha256: Buffer.from(packed.hashes.buffer, index * hashBytes, hashBytes) };
}
