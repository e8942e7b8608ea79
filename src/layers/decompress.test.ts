import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inChunks } from '../../test/support/layers.ts';
import { Decompression } from './decompress.ts';
import { LayerProblem, layerLimits } from './layer-problem.ts';

async function decompress(bytes: Uint8Array, chunkBytes?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  // Of its own, and not of Node's pool, so that it may be used up as a store's may.
  const source = inChunks(Buffer.from(new Uint8Array(bytes).buffer), chunkBytes);
  for await (const chunk of new Decompression(source, layerLimits, { disposable: true }))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const content = [randomBytes(300_000), Buffer.alloc(400_000, 'abc'), Buffer.from('end')];
const whole = Buffer.concat(content);
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const frames = content.map((part) => zstdCompressSync(part));

describe('a stream is decompressed by its first bytes', () => {
  test.each<[string, Buffer]>([
    ['none', whole],
    ['gzip', gzipSync(whole)],
    ['gzip of several members', Buffer.concat(content.map((part) => gzipSync(part)))],
    ['zstd', zstdCompressSync(whole)],
    ['zstd of several frames', Buffer.concat(frames)],
    [
      'zstd with skippable and empty frames',
      Buffer.concat([skippable, zstdCompressSync(''), ...frames, skippable]),
    ],
  ])('%s', async (_name, bytes) => {
    for (const chunkBytes of [61, 4_099, bytes.length])
      expect((await decompress(bytes, chunkBytes)).equals(whole)).toBe(true);
  });

  test('gzip followed by padding ends where the gzip ends', async () => {
    const bytes = Buffer.concat([gzipSync(whole), Buffer.alloc(1 << 20)]);
    expect((await decompress(bytes)).equals(whole)).toBe(true);
  });

  test.each([
    ['none', whole],
    ['gzip', gzipSync(whole)],
    ['zstd', zstdCompressSync(whole)],
  ])(
    'a chunk of %s gives its memory back when the next is asked for, and only where nobody else looks at it',
    async (_name, bytes) => {
      for (const disposable of [true, false]) {
        const given = Array.from({ length: 4 }, (_, at) =>
          Uint8Array.from(bytes.subarray(at * 200_000, (at + 1) * 200_000)),
        );
        const lengths = given.map(({ length }) => length);
        const source = (async function* () {
          yield* given;
        })();
        const chunks: Uint8Array[] = [];
        for await (const chunk of new Decompression(source, layerLimits, { disposable })) chunks.push(chunk);
        // What was decompressed is nobody else's anyway; a buffer that is not full yet has more to come.
        expect(chunks.some(({ length }) => length === 0)).toBe(disposable || bytes !== whole);
        expect(given.map(({ length }) => length)).toEqual(disposable ? [0, 0, 0, 0] : lengths);
      }
    },
  );

  test('less than a magic number of bytes is passed on', async () => {
    expect((await decompress(Buffer.from('ab'))).toString()).toBe('ab');
  });
});

describe('broken streams', () => {
  const gzip = gzipSync(whole);
  const zstd = zstdCompressSync(whole);
  test.each<[string, Buffer, RegExp]>([
    ['a gzip cut off', gzip.subarray(0, -5), /^truncated gzip/],
    ['a gzip cut off in its header', gzip.subarray(0, 7), /^truncated gzip/],
    ['a second gzip member cut off', Buffer.concat([gzip, gzip.subarray(0, 50)]), /^truncated gzip/],
    ['a gzip with a wrong byte', Buffer.from(gzip).fill(0xff, 1_000, 1_010), /^corrupt gzip/],
    ['a zstd cut off', zstd.subarray(0, -5), /^truncated zstd/],
    ['a second zstd frame cut off', Buffer.concat([zstd, zstd.subarray(0, 50)]), /^truncated zstd/],
    ['a second zstd magic cut off', Buffer.concat([zstd, zstd.subarray(0, 3)]), /^truncated zstd/],
    ['something after a zstd frame', Buffer.concat([zstd, Buffer.from('something')]), /^corrupt zstd/],
    ['xz', Buffer.from('fd377a585a00abcd', 'hex'), /^compressed with xz/],
    ['bzip2', Buffer.from('BZh91AY'), /^compressed with bzip2/],
  ])('%s', async (_name, bytes, message) => {
    for (const chunkBytes of [997, bytes.length]) {
      const failed = decompress(bytes, chunkBytes);
      await expect(failed).rejects.toThrow(message);
      await expect(failed).rejects.toBeInstanceOf(LayerProblem);
    }
  });
});

test('leaving early ends the source', async () => {
  let ended = false;
  const source = (async function* () {
    try {
      for (;;) yield* inChunks(gzipSync(randomBytes(100_000)));
    } finally {
      ended = true;
    }
  })();
  for await (const chunk of new Decompression(source, layerLimits)) if (chunk.length > 0) break;
  expect(ended).toBe(true);
});
