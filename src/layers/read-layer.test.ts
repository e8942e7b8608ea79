import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../test/support/layers.ts';
import { ManualClock } from '../lib/clock.ts';
import { digestOf } from '../oci/digest.ts';
import { extractors } from './extractors/list.ts';
import type { LayerInventory } from './inventory.ts';
import { layerLimits } from './layer-problem.ts';
import { type ReadLayerOptions, readLayer, readLayerParts } from './read-layer.ts';

const clock = new ManualClock();

function read(bytes: Uint8Array, options: Partial<ReadLayerOptions> = {}): Promise<LayerInventory> {
  return readLayer(inChunks(bytes), { extractors, clock, ...options });
}

async function readEntries(entries: readonly LayerEntry[], options: Partial<ReadLayerOptions> = {}) {
  return read(await tarOf(entries), options);
}

function kinds(inventory: LayerInventory): string[] {
  return inventory.files.map(({ kind, path }) => `${kind} ${path}`);
}

const packageJson = (name: string, version: string) => JSON.stringify({ name, version });

describe('a layer that is fine', () => {
  test('gives every entry with kind, size, mode and hash, and the diff id', async () => {
    const layer = await tarOf([
      { name: 'app/', type: 'directory', mode: 0o755 },
      { name: 'app/main.js', mode: 0o4755, text: 'hello' },
      { name: 'app/empty', mode: 0o600, text: '' },
      { name: 'app/link', type: 'symlink', linkname: 'main.js' },
      { name: 'app/hard', type: 'link', linkname: 'app/main.js' },
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'run/pipe', type: 'fifo' },
    ]);
    const found = await read(layer);
    expect(found).toMatchObject({
      state: 'done',
      entries: 7,
      uncompressedBytes: layer.length,
      diffId: digestOf(layer),
    });
    expect(kinds(found)).toEqual([
      'directory app',
      'file app/main.js',
      'file app/empty',
      'link app/link',
      'hardlink app/hard',
      'device dev/null',
      'device run/pipe',
    ]);
    const sha256 = (text: string) => createHash('sha256').update(text).digest();
    expect(found.files[1]).toEqual({
      path: 'app/main.js',
      kind: 'file',
      sizeBytes: 5,
      mode: 0o4755,
      sha256: sha256('hello'),
    });
    expect(found.files[2]?.sha256).toEqual(sha256(''));
    expect(found.extractions).toEqual(
      extractors.map(({ name, version }) => ({ extractor: name, version, state: 'done' })),
    );
  });

  test('gives the same inventory however it is compressed and however its bytes arrive', async () => {
    const big = Buffer.alloc(300_000, 'x');
    const layer = await tarOf([
      { name: 'node_modules/a/package.json', text: packageJson('a', '1.0.0') },
      { name: 'big', bytes: big },
      { name: `${'long/'.repeat(60)}name`, text: 'x' },
    ]);
    const expected = await read(layer);
    expect(expected.state).toBe('done');
    expect(await read(gzipSync(layer))).toEqual(expected);
    expect(await read(zstdCompressSync(layer))).toEqual(expected);
    for (const chunkBytes of [1, 511, 513, 70_000])
      expect(await readLayer(inChunks(layer, chunkBytes), { extractors, clock })).toEqual(expected);
  });

  test.each([
    ['no bytes', Buffer.alloc(0)],
    ['an empty tar', Buffer.alloc(1024)],
    ['an empty tar padded to a record', Buffer.alloc(10_240)],
    ['an empty gzip', gzipSync(Buffer.alloc(0))],
  ])('with nothing in it (%s) is done', async (_name, bytes) => {
    expect(await read(bytes)).toMatchObject({ state: 'done', entries: 0, files: [], packages: [] });
  });

  test('counts bytes after the end of its archive into the diff id and reads no entries there', async () => {
    const layer = Buffer.concat([
      await tarOf([{ name: 'a', text: '1' }]),
      await tarOf([{ name: 'b', text: '2' }]),
    ]);
    const found = await read(gzipSync(layer));
    expect(found).toMatchObject({ state: 'done', entries: 1, diffId: digestOf(layer) });
  });

  test('may end without the zero blocks', async () => {
    const layer = (await tarOf([{ name: 'a', text: '1' }])).subarray(0, 1024);
    expect(await read(layer)).toMatchObject({ state: 'done', entries: 1 });
  });

  describe('of another media type than a file system', () => {
    const mediaType = 'application/vnd.in-toto+json';

    test('is not applicable, and read no further than shows that it is no tar', async () => {
      const endless = (async function* () {
        for (let chunks = 0; chunks < 100; chunks += 1) yield Buffer.from('{"predicate": 1}'.repeat(40));
        throw new Error('was read');
      })();
      const found = await readLayer(endless, { extractors, clock, mediaType });
      expect(found).toMatchObject({ state: 'notApplicable', files: [], extractions: [] });
      expect(found.diffId).toBeUndefined();
    });

    test.each([
      ['nothing', Buffer.alloc(0)],
      ['less than a block', Buffer.from('{}')],
      ['a block', Buffer.alloc(512, '{')],
      ['compressed text', gzipSync('{}')],
    ])('is not applicable: %s', async (_what, bytes) => {
      const found = await readLayer(inChunks(bytes), { extractors, clock, mediaType });
      expect(found).toMatchObject({ state: 'notApplicable', files: [], extractions: [] });
    });

    test('is read when it is a tar all the same', async () => {
      const layer = await tarOf([{ name: 'node_modules/a/package.json', text: packageJson('a', '1.0.0') }]);
      for (const bytes of [layer, gzipSync(layer)]) {
        const found = await readLayer(inChunks(bytes), { extractors, clock, mediaType });
        expect(found).toMatchObject({ state: 'done', diffId: digestOf(layer), packages: [{ name: 'a' }] });
      }
    });

    test('is unknown when it cannot be unpacked', async () => {
      const found = await readLayer(inChunks(gzipSync('{}').subarray(0, 15)), {
        extractors,
        clock,
        mediaType,
      });
      expect(found).toMatchObject({ state: 'unknown', reason: expect.stringMatching(/gzip/) });
    });
  });
});

test('a hard link has the content of its target, of which no later entry has the path', async () => {
  const link = (name: string, linkname: string): LayerEntry => ({ name, type: 'link', linkname });
  const found = await readEntries([
    { name: 'a', text: 'one' },
    link('same', 'a'),
    link('same-again', './same'),
    { name: 'old', text: 'two' },
    link('of-old', 'old'),
    { name: 'old', text: 'another' },
    link('was-link', 'a'),
    { name: 'was-link', text: 'a file' },
    link('folder-link', 'nowhere'),
    link('itself', 'itself'),
  ]);
  const contents = new Map(found.files.map(({ path, sizeBytes, sha256 }) => [path, [sizeBytes, sha256]]));
  expect(contents.get('same')).toEqual(contents.get('a'));
  expect(contents.get('same-again')).toEqual(contents.get('a'));
  for (const path of ['of-old', 'folder-link', 'itself']) expect(contents.get(path)).toEqual([0, undefined]);
  expect(contents.get('was-link')?.[0]).toBe(6);
});

describe('paths', () => {
  test('are recorded from the root, and never lead out of it', async () => {
    const found = await readEntries([
      { name: './', type: 'directory' },
      { name: '/etc/passwd', text: 'a' },
      { name: './usr//bin/./sh', text: 'b' },
      { name: '../../etc/shadow', text: 'c' },
      { name: 'a/../../b', text: 'd' },
    ]);
    expect(kinds(found)).toEqual(['file etc/passwd', 'file usr/bin/sh', 'file etc/shadow', 'file b']);
    expect(found.entries).toBe(5);
  });

  test('that come twice keep what came last, and packages found in the first are forgotten', async () => {
    const path = 'node_modules/a/package.json';
    const found = await readEntries([
      { name: path, text: packageJson('a', '1.0.0') },
      { name: `./${path}`, text: packageJson('a', '2.0.0') },
      { name: 'node_modules/b/package.json', text: packageJson('b', '1.0.0') },
      { name: 'node_modules/b/package.json', type: 'directory' },
    ]);
    expect(kinds(found)).toEqual([`file ${path}`, 'directory node_modules/b/package.json']);
    expect(found.packages.map(({ purl }) => purl)).toEqual(['pkg:npm/a@2.0.0']);
  });

  test('under whiteouts are recorded as what they hide', async () => {
    const found = await readEntries([
      { name: 'a/.wh.gone', text: '' },
      { name: '.wh.top', text: '' },
      { name: 'b/', type: 'directory', mode: 0o750 },
      { name: 'b/.wh..wh..opq', text: '' },
      { name: 'b/new', text: 'x' },
      { name: '.wh..wh.aufs', text: '' },
      { name: '.wh..wh.plnk/12.34', text: '' },
    ]);
    expect(found.state).toBe('done');
    expect(kinds(found).sort()).toEqual(['file b/new', 'opaque b', 'whiteout a/gone', 'whiteout top']);
    expect(found.files.find(({ kind }) => kind === 'opaque')?.mode).toBe(0o750);
  });

  test('that are whited out and present in one layer are present', async () => {
    const found = await readEntries([
      { name: 'key', text: 'secret' },
      { name: '.wh.key', text: '' },
      { name: '.wh.folder', text: '' },
      { name: 'folder/', type: 'directory' },
    ]);
    expect(kinds(found)).toEqual(['file key', 'opaque folder']);
  });
});

describe('content that is broken', () => {
  const entries: LayerEntry[] = [
    { name: 'node_modules/a/package.json', text: packageJson('a', '1.0.0') },
    { name: 'noise', bytes: Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31) >> 3)) },
  ];

  test('no tar at all is unknown with the reason, and still has a diff id', async () => {
    const text = Buffer.from('{"this": "is no tar"}'.repeat(100));
    const found = await read(text);
    expect(found).toMatchObject({ state: 'unknown', diffId: digestOf(text), files: [] });
    expect(found.reason).toMatch(/^not a tar archive: /);
    expect(
      found.extractions.every(({ state, reason }) => state === 'unknown' && reason === found.reason),
    ).toBe(true);
  });

  test('a truncated gzip is unknown without a diff id, and what was read before stays', async () => {
    const layer = gzipSync(await tarOf(entries));
    const found = await read(layer.subarray(0, layer.length - 2_000));
    expect(found).toMatchObject({ state: 'unknown', reason: expect.stringMatching(/^truncated gzip/) });
    expect(found.diffId).toBeUndefined();
    expect(found.packages.map(({ name }) => name)).toEqual(['a']);
  });

  test('a tar that ends inside a file is unknown', async () => {
    const layer = await tarOf(entries);
    expect(await read(layer.subarray(0, 5_000))).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/^truncated tar/),
    });
  });

  test.each(['gzip', 'zstd'])('a %s bomb ends as unknown at the limit', async (compression) => {
    const layer = await tarOf([{ name: 'zeros', bytes: Buffer.alloc(8 << 20) }]);
    const bytes = compression === 'gzip' ? gzipSync(layer) : zstdCompressSync(layer);
    const bySize = await read(bytes, { limits: { ...layerLimits, layerUncompressedBytesMax: 1 << 20 } });
    const byRatio = await read(bytes, {
      limits: { ...layerLimits, layerRatioFromBytes: 1 << 20, layerRatioMax: 100 },
    });
    for (const found of [bySize, byRatio]) {
      expect(found).toMatchObject({ state: 'unknown', reason: expect.stringMatching(/^decompression bomb/) });
      expect(found.uncompressedBytes).toBeLessThan(3 << 20);
    }
  });

  test.each<[string, Partial<typeof layerLimits>, RegExp]>([
    ['too many entries', { layerEntriesMax: 1 }, /^too many entries/],
    ['a path too long', { layerPathBytesMax: 20 }, /^path too long/],
    ['a path too deep', { layerPathDepthMax: 2 }, /^path too deep/],
  ])('%s make it unknown, with a diff id and what came before', async (_name, limit, reason) => {
    const layer = await tarOf([{ name: 'first', text: '1' }, ...entries]);
    const found = await read(layer, { limits: { ...layerLimits, ...limit } });
    expect(found).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(reason),
      diffId: digestOf(layer),
    });
    expect(found.files[0]?.path).toBe('first');
  });

  test('a layer that takes too long is unknown', async () => {
    const slow = new ManualClock();
    const layer = await tarOf(entries);
    const source = (async function* () {
      for await (const chunk of inChunks(layer, 50_000)) {
        slow.advance(10_000);
        yield chunk;
      }
    })();
    const limits = { ...layerLimits, layerInspectMs: 15_000 };
    expect(await readLayer(source, { extractors, clock: slow, limits })).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/^time over/),
    });
  });
});

describe('what is not the content', () => {
  test("a source's own failure is thrown, not taken for a broken layer", async () => {
    const layer = gzipSync(await tarOf([{ name: 'a', text: '1' }]));
    const failing = (async function* () {
      yield layer.subarray(0, 30);
      throw new Error('the store is away');
    })();
    await expect(readLayer(failing, { extractors, clock })).rejects.toThrow('the store is away');
  });

  test('an abort ends the reading with its reason, also while the source is silent', async () => {
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => ({ done: true, value: undefined }),
      }),
    };
    const controller = new AbortController();
    const reading = readLayer(silent, { extractors, clock, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

test('parts hold a bounded number of records, and the last is the summary', async () => {
  const layer = await tarOf(Array.from({ length: 4_500 }, (_, n) => ({ name: `f${n}`, text: '' })));
  const sizes: (number | string)[] = [];
  for await (const part of readLayerParts(inChunks(layer), { extractors, clock }))
    sizes.push(part.kind === 'files' ? part.files.length : part.kind);
  expect(sizes).toEqual([2_000, 2_000, 500, 'summary']);
});
