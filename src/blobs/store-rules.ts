/** What every driver checks the same way, so that the drivers stay thin. */
import assert from 'node:assert/strict';
import { LazaretError } from '../lib/errors.ts';
import type { BlobKey, ByteRange } from './blob-store.ts';

const keyPattern = /^[0-9a-f]{32}$/;
const notePattern = /^[a-z0-9-]+(\/[A-Za-z0-9._-]+)*$/;
const noteNameLengthMax = 200;

export function isBlobKey(text: string): text is BlobKey {
  return keyPattern.test(text);
}

export function assertBlobKey(key: BlobKey): void {
  assert(isBlobKey(key), `not a blob key: ${key}`);
}

export function assertNoteName(name: string): void {
  assert(notePattern.test(name) && name.length <= noteNameLengthMax, `not a note name: ${name}`);
}

/** The half-open part of a blob of `sizeBytes` that `range` means. @throws rangeInvalid */
export function partOf(sizeBytes: number, range: ByteRange | undefined): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: sizeBytes };
  const { start, end } = range;
  assert(Number.isSafeInteger(start) && Number.isSafeInteger(end), 'a range is made of integers');
  if (start < 0 || end < start || start >= sizeBytes)
    throw new LazaretError(
      'rangeInvalid',
      `bytes ${start} to ${end} are not inside a blob of ${sizeBytes} bytes`,
      {
        detail: { sizeBytes },
      },
    );
  return { start, end: Math.min(end + 1, sizeBytes) };
}

export function checkOffset(key: BlobKey, offset: number, lengthBytes: number): void {
  if (offset === lengthBytes) return;
  throw new LazaretError('uploadRange', `the upload stands at ${lengthBytes}, not at ${offset}`, {
    detail: { key, lengthBytes },
  });
}

export function alreadyCommitted(key: BlobKey): LazaretError {
  return new LazaretError('conflict', 'the blob is complete and can take no more bytes', { detail: { key } });
}

export function storeMissing(key: BlobKey, cause?: unknown): LazaretError {
  return new LazaretError('storeMissing', `the blob store has nothing under ${key}`, {
    detail: { key },
    cause,
  });
}

export function foreignRegion(owner: string, asker: string): LazaretError {
  return new LazaretError(
    'conflict',
    `this blob store belongs to region ${owner}; region ${asker} needs one of its own`,
    { detail: { owner, asker } },
  );
}

/** Lets one writer at a time into a key. @throws conflict for the second */
export class KeyWriters {
  readonly #writing = new Set<BlobKey>();

  has(key: BlobKey): boolean {
    return this.#writing.has(key);
  }

  async only<T>(key: BlobKey, write: () => Promise<T>): Promise<T> {
    if (this.#writing.has(key))
      throw new LazaretError('conflict', 'the blob is being written by another request', { detail: { key } });
    this.#writing.add(key);
    try {
      return await write();
    } finally {
      this.#writing.delete(key);
    }
  }
}
