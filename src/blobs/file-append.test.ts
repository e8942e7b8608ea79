import { expect, test } from 'vitest';
import { inChunks } from '../../test/support/blob-store-contract.ts';
import { hasCode } from '../lib/errors.ts';
import { appendDurably } from './file-append.ts';

/** A disk of `roomBytes` that takes at most `writeBytesMax` at a time, as real ones may. */
function smallDisk(options: { roomBytes: number; writeBytesMax?: number; flushFails?: boolean }) {
  const { roomBytes, writeBytesMax = Number.POSITIVE_INFINITY, flushFails = false } = options;
  const disk = {
    content: Buffer.alloc(0),
    flushes: 0,
    async writev(buffers: readonly Uint8Array[], position: number) {
      expect(position).toBe(disk.content.byteLength);
      const written = Buffer.concat(buffers).subarray(0, Math.min(writeBytesMax, roomBytes - position));
      if (written.byteLength === 0) throw systemError('ENOSPC', 'write');
      disk.content = Buffer.concat([disk.content, written]);
      return { bytesWritten: written.byteLength };
    },
    async datasync() {
      disk.flushes += 1;
      if (flushFails) throw systemError('EIO', 'fdatasync');
    },
    async truncate(lengthBytes: number) {
      disk.content = disk.content.subarray(0, lengthBytes);
    },
  };
  return disk;
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(code), { code, syscall });
}

const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyz');

test('a disk that writes less than asked gets the rest, in order', async () => {
  const disk = smallDisk({ roomBytes: 100, writeBytesMax: 3 });
  expect(await appendDurably(disk, 0, inChunks(alphabet, 5))).toBe(26);
  expect(String(disk.content)).toBe(String(alphabet));
  expect(disk.flushes).toBe(1);
});

test('a full disk is storeFull, keeps what was there before, and gives the room of the rest back', async () => {
  const disk = smallDisk({ roomBytes: 10 });
  disk.content = Buffer.from('abc');
  const error = await appendDurably(disk, 3, inChunks(alphabet, 4)).catch((thrown: unknown) => thrown);
  expect(hasCode(error, 'storeFull')).toBe(true);
  expect(error).toHaveProperty('cause.code', 'ENOSPC');
  expect(String(disk.content)).toBe('abc');
  expect(disk.flushes).toBe(1);
});

test('a failed flush cuts the file back to what an earlier one made durable', async () => {
  const disk = smallDisk({ roomBytes: 100, flushFails: true });
  disk.content = Buffer.from('abc');
  await expect(appendDurably(disk, 3, inChunks(alphabet, 4))).rejects.toSatisfy((error) =>
    hasCode(error, 'unavailable'),
  );
  expect(String(disk.content)).toBe('abc');
});

test('a large upload is flushed while it comes; a flush that failed then is told at its end', async () => {
  const source = () => inChunks(Buffer.alloc(40 * 1024 * 1024), 1024 * 1024);
  const diskOf = (flush: (flushes: number) => void) => {
    const disk = { lengthBytes: 0, flushes: 0 };
    return Object.assign(disk, {
      writev: async (buffers: readonly Uint8Array[], position: number) => {
        const bytesWritten = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
        disk.lengthBytes = position + bytesWritten;
        return { bytesWritten };
      },
      datasync: async () => flush(++disk.flushes),
      truncate: async (lengthBytes: number) => {
        disk.lengthBytes = lengthBytes;
      },
    });
  };
  const sound = diskOf(() => {});
  expect(await appendDurably(sound, 0, source())).toBe(40 * 1024 * 1024);
  expect(sound.flushes).toBe(2);
  const failing = diskOf((flushes) => {
    if (flushes === 1) throw systemError('EIO', 'fdatasync');
  });
  await expect(appendDurably(failing, 0, source())).rejects.toSatisfy((error) =>
    hasCode(error, 'unavailable'),
  );
  // No later flush would tell which bytes are lost.
  expect(failing).toMatchObject({ lengthBytes: 0, flushes: 1 });
});

test('an error of the source that looks like one of the disk stays what it is', async () => {
  const reset = systemError('ECONNRESET', 'read');
  async function* source() {
    yield alphabet;
    throw reset;
  }
  const disk = smallDisk({ roomBytes: 100 });
  await expect(appendDurably(disk, 0, source())).rejects.toBe(reset);
  expect(String(disk.content)).toBe(String(alphabet));
});

test.each([true, false])(
  'chunks give their memory back once they are written, if they are disposable: %s',
  async (disposable) => {
    const disk = smallDisk({ roomBytes: 100, writeBytesMax: 3 });
    const chunks = ['abcde', 'fgh', 'ijklmnop'].map((text) => new TextEncoder().encode(text).slice());
    const length = await appendDurably(disk, 0, inTurn(chunks), { disposable });
    expect(length).toBe(16);
    expect(String(disk.content)).toBe('abcdefghijklmnop');
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual(disposable ? [0, 0, 0] : [5, 3, 8]);
  },
);

async function* inTurn(chunks: readonly Uint8Array[]) {
  yield* chunks;
}
