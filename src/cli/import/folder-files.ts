import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LazaretError } from '../../lib/errors.ts';
import type { ByteSource } from '../../lib/streams.ts';
import type { SourceFiles } from './source-files.ts';

/** The files of a folder. Paths come from digests and from the specifications, never from what a file says. */
export function folderFiles(folder: string): SourceFiles {
  return {
    sizeOf: (path) => fileSize(join(folder, path)),
    read: async (path, offset = 0) => readFrom(join(folder, path), offset),
    close: async () => undefined,
  };
}

/** @returns undefined where there is no such file. @throws unavailable */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new LazaretError('unavailable', `${path} can't be read`, { cause });
  }
}

/** @param end the last byte, if not that of the file */
export async function* readFrom(path: string, start: number, end?: number): AsyncGenerator<Uint8Array> {
  const range = { start, ...(end === undefined ? {} : { end }), highWaterMark: readBytes };
  const source: ByteSource = createReadStream(path, range);
  try {
    yield* source;
  } catch (cause) {
    throw isMissing(cause)
      ? new LazaretError('blobUnknown', `there is no ${path}`, { cause })
      : new LazaretError('unavailable', `${path} can't be read`, { cause });
  }
}

const readBytes = 256 * 1024;

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
