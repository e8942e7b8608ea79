import type { Transform } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { Gunzip } from 'minizlib';
import { ContentProblem } from '../lib/content-problem.ts';
import { freeMemory } from '../lib/free-memory.ts';
import type { ByteSource } from '../lib/streams.ts';
import { zstdFrames } from '../lib/zstd-frames.ts';
import { type LayerLimits, LayerProblem } from './layer-problem.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

const chunkBytes = 256 * 1024;
const magics = [
  { bytes: [0x1f, 0x8b], name: 'gzip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], name: 'xz' },
  { bytes: [0x42, 0x5a, 0x68], name: 'bzip2' },
] as const;
const skippableMagicEnd = [0x2a, 0x4d, 0x18];
const magicBytesMax = 6;

/**
 * The uncompressed bytes of a layer. How it is compressed is told by its first bytes, since media types lie. Can be
 * read once; the counts grow while it is. A chunk is its reader's until the next is asked for: then it gives its memory back
 * (docs/decisions/0025-memory-of-uploads.md says what that saves), also those of the source if they are `disposable`.
 *
 * Reading it throws LayerProblem for what is wrong with the bytes (truncated, corrupt, a decompression bomb), and
 * whatever `source` fails with unchanged.
 */
export class Decompression {
  compressedBytes = 0;
  uncompressedBytes = 0;
  readonly #source: ByteSource;
  readonly #limits: LayerLimits;
  readonly #disposable: boolean;
  #sourceFailed = false;

  /** @param options.disposable nobody else looks at a chunk of the source, or will */
  constructor(source: ByteSource, limits: LayerLimits, { disposable = false } = {}) {
    this.#source = source;
    this.#limits = limits;
    this.#disposable = disposable;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const counted = this.#counted();
    let compression: Compression = 'none';
    try {
      const { head, rest } = await readHead(counted);
      compression = compressionOf(head);
      for await (const chunk of inflated(compression, rest)) {
        this.uncompressedBytes += chunk.byteLength;
        this.#checkSize(compression);
        yield chunk;
        if (compression !== 'none') freeMemory([chunk]);
      }
    } catch (error) {
      throw this.#sourceFailed || error instanceof LayerProblem ? error : asProblem(error, compression);
    } finally {
      await counted.return(undefined);
    }
  }

  async *#counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) {
        this.compressedBytes += chunk.byteLength;
        yield chunk;
        if (this.#disposable) freeMemory([chunk]);
      }
    } catch (error) {
      this.#sourceFailed = true;
      throw error;
    }
  }

  #checkSize(compression: Compression): void {
    const {
      layerUncompressedBytesMax: bytesMax,
      layerRatioMax: ratioMax,
      layerRatioFromBytes,
    } = this.#limits;
    const bytes = this.uncompressedBytes;
    const what = compression === 'none' ? 'too large' : 'decompression bomb';
    if (bytes > bytesMax) throw new LayerProblem(`${what}: more than ${bytesMax} bytes uncompressed`);
    if (bytes >= layerRatioFromBytes && bytes > ratioMax * this.compressedBytes)
      throw new LayerProblem(`${what}: more than ${ratioMax} times its compressed size`);
  }
}

/** Enough of the first bytes to recognise a format, and a source of everything, those included. */
async function readHead(source: AsyncGenerator<Uint8Array>): Promise<{ head: Uint8Array; rest: ByteSource }> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < magicBytesMax) {
    // Copied, where the first chunk is not enough: it is used up when the next is asked for.
    const before = Buffer.from(first);
    const step = await source.next();
    const isFirst = before.length === 0 && !step.done;
    first = isFirst ? step.value : Buffer.concat([before, step.done ? Buffer.alloc(0) : step.value]);
    if (step.done) break;
  }
  return { head: first.subarray(0, magicBytesMax), rest: chain(first, source) };
}

async function* chain(first: Uint8Array, rest: ByteSource): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* rest;
}

function compressionOf(head: Uint8Array): Compression {
  if (beginsWithSkippable(head)) return 'zstd';
  const name =
    magics.find((magic) => magic.bytes.every((byte, index) => head[index] === byte))?.name ?? 'none';
  if (name === 'xz' || name === 'bzip2')
    throw new LayerProblem(`compressed with ${name}, which is not supported`);
  return name;
}

/** A zstd stream may begin with a skippable frame, which has one of 16 magic numbers. */
function beginsWithSkippable(head: Uint8Array): boolean {
  return (head[0] ?? 0) >> 4 === 5 && skippableMagicEnd.every((byte, index) => head[index + 1] === byte);
}

function inflated(compression: Compression, source: ByteSource): ByteSource {
  if (compression === 'none') return source;
  if (compression === 'zstd')
    return through(zstdFrames(source), createZstdDecompress({ chunkSize: chunkBytes }));
  return gunzipped(source);
}

/** What it unpacks to, at most 1,032 times as much, is in memory at once. */
const sliceBytes = 32 * 1024;

/**
 * In this thread, since node:zlib's streams unpack in the threads that files are read with, which are few, and whose
 * priority is that of pushes and pulls.
 */
async function* gunzipped(source: ByteSource): AsyncGenerator<Uint8Array> {
  const gunzip = new Gunzip(gunzipOptions);
  let unpacked: Uint8Array[] = [];
  const failures: unknown[] = [];
  gunzip.on('data', (chunk: Uint8Array) => void unpacked.push(chunk));
  gunzip.on('error', (error) => void failures.push(error));
  const taken = function* () {
    const chunks = unpacked;
    unpacked = [];
    yield* chunks;
    for (const failure of failures) throw failure;
  };
  try {
    for await (const chunk of source)
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        const { buffer, byteOffset, length } = chunk.subarray(at, at + sliceBytes);
        gunzip.write(Buffer.from(buffer, byteOffset, length));
        yield* taken();
      }
    gunzip.end();
    yield* taken();
  } finally {
    gunzip.close();
  }
}

/** minizlib passes all of them on to node:zlib, though its types know only some. */
const gunzipOptions = { finishFlush: constants.Z_FINISH, chunkSize: chunkBytes };

async function* through(source: ByteSource, inflate: Transform): AsyncGenerator<Uint8Array> {
  const fed = feed(source, inflate);
  // The reading below fails with the same error; awaiting `fed` as well makes sure that the source has ended.
  fed.catch(() => {});
  for await (const chunk of inflate) if (chunk instanceof Uint8Array) yield chunk;
  await fed;
}

/** Asks for the next chunk when one is used up. What comes after the end of what is compressed is read, too. */
async function feed(source: ByteSource, inflate: Transform): Promise<void> {
  const closed = new Promise<void>((resolve) => inflate.once('close', resolve));
  try {
    for await (const chunk of source) {
      if (inflate.destroyed) continue;
      const used = new Promise<void>((resolve, reject) => {
        inflate.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      // One that fails may never call back.
      await Promise.race([used, closed]);
    }
    inflate.end();
  } catch (error) {
    inflate.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

function asProblem(error: unknown, compression: Compression): LayerProblem {
  if (error instanceof ContentProblem) return new LayerProblem(error.message, error);
  const message = error instanceof Error ? error.message : String(error);
  const truncated = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
  return new LayerProblem(
    truncated
      ? `truncated ${compression}: the compressed stream ends too early`
      : `corrupt ${compression}: ${message}`,
    error,
  );
}
