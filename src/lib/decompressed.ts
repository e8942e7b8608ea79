import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ContentProblem } from './content-problem.ts';
import type { ByteSource } from './streams.ts';
import { zstdFrames } from './zstd-frames.ts';

export interface Peeked {
  /** As many of the first bytes as were asked for, unless the source is shorter. */
  readonly head: Buffer;
  /** All, those included. */
  readonly whole: AsyncGenerator<Uint8Array>;
}

/** Looks at how `source` begins. */
export async function peeked(source: ByteSource, headBytes: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes < headBytes; ) {
    const step = await iterator.next();
    if (step.done) break;
    chunks.push(step.value);
    bytes += step.value.length;
  }
  const first = Buffer.concat(chunks);
  const whole = (async function* () {
    if (first.length > 0) yield first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
  return { head: first.subarray(0, headBytes), whole };
}

/** Unpacks gzip and zstd, which their first bytes tell, and passes anything else on as it is. */
export async function* decompressed(source: ByteSource): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peeked(source, 4);
  const compression = compressionOf(head);
  if (compression === 'none') return yield* whole;
  const [packed, inflate] =
    compression === 'gzip'
      ? [whole, createGunzip({ chunkSize: chunkBytes })]
      : [zstdFrames(whole), createZstdDecompress({ chunkSize: chunkBytes })];
  // An error of either side reaches the reader through the stream, which pipeline destroys with it.
  for await (const chunk of pipeline(Readable.from(packed), inflate, () => undefined))
    if (chunk instanceof Uint8Array) yield chunk;
}

/** Whether it is the compressed bytes that are wrong, and not where they come from. */
export function isDamaged(error: unknown): boolean {
  if (error instanceof ContentProblem) return true;
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^(?:Z_|ZSTD_error_|ERR_ZSTD)/.test(error.code)
  );
}

const chunkBytes = 128 * 1024;

/** A zstd stream may begin with a frame to skip, which has one of 16 magic numbers. */
function compressionOf(head: Buffer): 'gzip' | 'zstd' | 'none' {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (head.length < 4) return 'none';
  const magic = head.readUInt32BE(0);
  return magic === 0x28b52ffd || (magic & 0xf0ffffff) >>> 0 === 0x502a4d18 ? 'zstd' : 'none';
}
