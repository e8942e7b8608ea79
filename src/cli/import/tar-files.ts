import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { LazaretError } from '../../lib/errors.ts';
import { readFrom } from './folder-files.ts';
import type { SourceFiles } from './source-files.ts';
import { tarIndex } from './tar-index.ts';

/**
 * The files of a tar archive, read where they lie. One that is compressed, or comes through a pipe, is first laid out in
 * the temporary folder, since contents are read in the order in which they are needed, and again after a cut.
 * @param path `-` is standard input
 */
export async function tarFiles(path: string, stdin: Readable, signal: AbortSignal): Promise<SourceFiles> {
  const compression = path === '-' ? 'pipe' : await compressionOf(path);
  if (compression === 'none') return indexed(path, async () => undefined);
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-import-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const from = path === '-' ? stdin : createReadStream(path);
    const laidOut = await layOut({ from, compression, folder, signal });
    return await indexed(laidOut, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

type Compression = 'none' | 'pipe' | 'gzip' | 'zstd';

interface Laying {
  readonly from: Readable;
  readonly compression: Compression;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What came through a pipe may be compressed in turn. */
async function layOut({ from, compression, folder, signal }: Laying): Promise<string> {
  const file = join(folder, compression);
  const to = createWriteStream(file, { mode: 0o600 });
  try {
    if (compression === 'gzip') await pipeline(from, createGunzip(), to, { signal });
    else if (compression === 'zstd') await pipeline(from, createZstdDecompress(), to, { signal });
    else await pipeline(from, to, { signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new LazaretError('invalid', 'the archive could not be unpacked into the temporary folder', {
      cause,
    });
  }
  const inside = compression === 'pipe' ? await compressionOf(file) : 'none';
  return inside === 'none'
    ? file
    : layOut({ from: createReadStream(file), compression: inside, folder, signal });
}

async function indexed(path: string, remove: () => Promise<void>): Promise<SourceFiles> {
  const handle = await opened(path);
  const readAt = async (position: number, length: number) => {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  const slices = await tarIndex(readAt).finally(() => handle.close());
  return {
    sizeOf: async (name) => slices.get(name)?.sizeBytes,
    read: async (name, offset = 0) => {
      const slice = slices.get(name);
      if (slice === undefined) throw new LazaretError('blobUnknown', `the archive has no ${name}`);
      if (offset >= slice.sizeBytes) return nothing();
      return readFrom(path, slice.offset + offset, slice.offset + slice.sizeBytes - 1);
    },
    close: remove,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** By its first bytes. @throws invalid for compressions that are not read here */
async function compressionOf(path: string): Promise<Compression> {
  const handle = await opened(path);
  const { buffer } = await handle.read(Buffer.alloc(6), 0, 6, 0).finally(() => handle.close());
  const start = buffer.toString('hex');
  if (start.startsWith('1f8b')) return 'gzip';
  if (start.startsWith('28b52ffd')) return 'zstd';
  if (start.startsWith('fd377a585a00') || start.startsWith('425a68'))
    throw new LazaretError('invalid', `${path} is compressed with xz or bzip2; unpack it first`);
  return 'none';
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    throw new LazaretError('invalid', `${path} can't be read`, { cause });
  }
}
