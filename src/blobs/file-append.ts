import assert from 'node:assert/strict';
import { hasCode, LazaretError } from '../lib/errors.ts';
import { freeMemory } from '../lib/free-memory.ts';
import { asUnavailable } from './durable-files.ts';

/** What is needed of a `FileHandle`. */
export interface AppendableFile {
  writev(buffers: readonly Uint8Array[], position: number): Promise<{ bytesWritten: number }>;
  datasync(): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
}

/** Chunks from the network are small; gathered, they cost one trip to the thread pool per batch. */
const batchBytes = 1024 * 1024;
const batchChunksMax = 512;
/** So much is on its way to the disk while more arrives; at the end little is left to wait for. */
const flushEveryBytes = 32 * 1024 * 1024;

/**
 * Writes `source` into an open file that is `offset` bytes long, and flushes it, which begins while bytes still come. At
 * most two batches are in memory: one that is being written, one that is being gathered; a slower disk so holds the source
 * back.
 *
 * When the source or the disk fails, what was written before is flushed and kept, and the failure is thrown. When the
 * disk is full, the file is cut back to `offset`: nobody was told of these bytes, and others may use the room. When the
 * flush itself fails, the kernel no longer knows which bytes are on the disk, and a second flush would say that all
 * are; so the file is cut back to `offset`, up to where an earlier flush succeeded.
 * @param options.disposable see `AppendOptions`
 * @returns the file's durable length
 */
export async function appendDurably(
  handle: AppendableFile,
  offset: number,
  source: AsyncIterable<Uint8Array>,
  { disposable = false }: { readonly disposable?: boolean | undefined } = {},
): Promise<number> {
  let failure: { error: unknown } | undefined;
  let lengthBytes = offset;
  const flushes = new Flushes(handle);
  try {
    lengthBytes = await writeBatches(handle, offset, source, { flushes, disposable });
  } catch (error) {
    failure = { error };
  }
  if (failure !== undefined && hasCode(failure.error, 'storeFull')) await cutBack(handle, offset);
  await flushOrCutBack(handle, { offset, flushes, failure });
  if (failure !== undefined) throw failure.error;
  return lengthBytes;
}

/** Flushes of one file while it is written, one at a time. */
class Flushes {
  readonly #handle: AppendableFile;
  #going: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(handle: AppendableFile) {
    this.#handle = handle;
  }

  /** Of what was written so far, unless one goes on; what it fails with is told at the end. */
  begin(): void {
    this.#going ??= this.#handle.datasync().then(
      () => {
        this.#going = undefined;
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
  }

  /** Of everything. @throws what this one, or one before it, failed with */
  async end(): Promise<void> {
    await this.#going;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#handle.datasync();
  }
}

async function flushOrCutBack(
  handle: AppendableFile,
  { offset, flushes, failure }: { offset: number; flushes: Flushes; failure: { error: unknown } | undefined },
) {
  try {
    await flushes.end();
  } catch (error) {
    await cutBack(handle, offset);
    const cause =
      failure === undefined ? error : new AggregateError([error, failure.error], 'flush and source failed');
    const full = asUnavailable('to flush an upload', error);
    if (hasCode(full, 'storeFull')) throw full;
    throw new LazaretError('unavailable', 'the blob store failed to flush an upload', { cause });
  }
}

async function cutBack(handle: AppendableFile, offset: number): Promise<void> {
  await handle.truncate(offset).catch((error: unknown) => {
    throw asUnavailable('to cut back an upload', error);
  });
}

async function writeBatches(
  handle: AppendableFile,
  offset: number,
  source: AsyncIterable<Uint8Array>,
  { flushes, disposable }: { flushes: Flushes; disposable: boolean },
): Promise<number> {
  let flushedUpTo = offset;
  let position = offset;
  let batch: Uint8Array[] = [];
  let gathered = 0;
  let writing = Promise.resolve();
  const write = async () => {
    await writing;
    if (position - flushedUpTo >= flushEveryBytes) {
      flushes.begin();
      flushedUpTo = position;
    }
    const written = batch;
    writing = writeFully(handle, written, position).then(() => {
      if (disposable) freeMemory(written);
    });
    // Awaited by the next write or at the end; until then its failure has no listener.
    writing.catch(() => {});
    position += gathered;
    batch = [];
    gathered = 0;
  };
  try {
    for await (const chunk of source) {
      if (chunk.byteLength === 0) continue;
      batch.push(chunk);
      gathered += chunk.byteLength;
      if (gathered >= batchBytes || batch.length >= batchChunksMax) await write();
    }
  } finally {
    // Also after a failed source: its last chunks are kept.
    await write();
    await writing;
  }
  return position;
}

async function writeFully(
  handle: AppendableFile,
  buffers: readonly Uint8Array[],
  start: number,
): Promise<void> {
  let position = start;
  let rest = [...buffers];
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, position).catch((error: unknown) => {
      throw asUnavailable('while a blob was written', error);
    });
    assert(bytesWritten > 0, 'a write that does nothing fails');
    position += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const buffer of buffers) {
    const skipHere = Math.min(skip, buffer.byteLength);
    skip -= skipHere;
    if (skipHere < buffer.byteLength) rest.push(buffer.subarray(skipHere));
  }
  return rest;
}
