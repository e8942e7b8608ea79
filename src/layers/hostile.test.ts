/**
 * Layers that are made to hurt. Each ends with a result that says what could not be read, and none is ever held whole: the
 * large ones are made while they are read, and what is kept of them is bounded by `lib/limits.ts`.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip, createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractorSamples } from '../../test/support/extractor-samples.ts';
import { inChunks, type LayerEntry, tarOf } from '../../test/support/layers.ts';
import { hugeFile, tarHeader } from '../../test/support/made-tars.ts';
import { zipOf } from '../../test/support/zip.ts';
import { ManualClock } from '../lib/clock.ts';
import type { ByteSource } from '../lib/streams.ts';
import { digestOf } from '../oci/digest.ts';
import { extractors } from './extractors/list.ts';
import type { LayerSummary } from './inventory.ts';
import { type LayerLimits, layerLimits } from './layer-problem.ts';
import { readLayer, readLayerParts } from './read-layer.ts';

const clock = new ManualClock();
const [KiB, MiB, GiB] = [1 << 10, 1 << 20, 1 << 30];

/** The summary alone: nothing else of a large layer is held. */
async function summaryOf(source: ByteSource, limits: Partial<LayerLimits> = {}): Promise<LayerSummary> {
  let summary: LayerSummary | undefined;
  for await (const part of readLayerParts(source, {
    extractors,
    clock,
    limits: { ...layerLimits, ...limits },
  }))
    if (part.kind === 'summary') summary = part.summary;
  if (summary === undefined) throw new Error('a layer ends with its summary');
  return summary;
}

async function summaryOfEntries(entries: readonly LayerEntry[]): Promise<LayerSummary> {
  return summaryOf(inChunks(await tarOf(entries)));
}

function reasonOf({ extractions }: LayerSummary, extractor: string): string | undefined {
  const found = extractions.find((one) => one.extractor === extractor);
  return found?.state === 'unknown' ? found.reason : undefined;
}

describe('bombs', () => {
  test.each([
    [
      'gzip',
      () => createGzip({ level: 9 }),
      { layerUncompressedBytesMax: 256 * MiB },
      /^decompression bomb: more than 268435456 bytes/,
    ],
    ['zstd', () => createZstdCompress(), {}, /^decompression bomb: more than 1100 times/],
  ])('of %s end at their limit', async (_name, compressor, limits, reason) => {
    const bomb = Readable.from(hugeFile('zeros', 1 * GiB, Buffer.alloc(MiB))).pipe(compressor());
    const found = await summaryOf(bomb, limits);
    expect(found).toMatchObject({ state: 'unknown', reason: expect.stringMatching(reason) });
    expect(found.uncompressedBytes).toBeLessThan(512 * MiB);
  });

  test('of jars 100 deep make the result of Java archives unknown', async () => {
    let jar = zipOf([{ name: 'A.class', text: 'class' }]);
    for (let depth = 0; depth < 100; depth++) jar = zipOf([{ name: `${depth}.jar`, bytes: jar }]);
    const found = await summaryOfEntries([{ name: 'opt/deep.jar', bytes: jar }]);
    expect(found.state).toBe('done');
    expect(reasonOf(found, 'java')).toContain('deep');
  });

  test('of ten million empty files end at the limit of entries, with a diff id', async () => {
    const names = Array.from({ length: 2_000 }, (_, at) => tarHeader(`empty/${at}`, 0));
    const block = Buffer.concat(names);
    const source = (async function* () {
      for (let blocks = 0; blocks < 5_000; blocks++) yield block;
      yield Buffer.alloc(1_024);
    })();
    const found = await summaryOf(source, { layerEntriesMax: 200_000 });
    expect(found).toMatchObject({
      state: 'unknown',
      reason: 'too many entries: more than 200000',
      entries: 200_001,
      uncompressedBytes: 10_000_000 * 512 + 1_024,
    });
    expect(found.diffId).toBeDefined();
  });
});

test('whiteouts without end are not held', async () => {
  const source = (async function* () {
    for (let at = 0; at < 1_000; at += 1) yield tarHeader(`folder/.wh.${at}`, 0);
    yield Buffer.alloc(1_024);
  })();
  const found = await summaryOf(source, { layerHeldBytesMax: 10_000 });
  expect(found).toMatchObject({
    state: 'unknown',
    reason: 'too many whiteouts: more than 10000 bytes of them',
    uncompressedBytes: 1_000 * 512 + 1_024,
  });
  expect(found.diffId).toBeDefined();
  expect(found.entries).toBeLessThan(60);
});

describe('files too large for what wants them', () => {
  const stanza = 'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n';
  test.each([
    ['dpkg', 'var/lib/dpkg/status', 1 * GiB, stanza],
    ['npm', 'node_modules/a/package.json', 200 * MiB, '{"name":"a","version":"1.0.0"}'],
  ])('%s', async (extractor, name, sizeBytes, text) => {
    const piece = Buffer.from(text.repeat(Math.ceil(MiB / text.length)));
    const found = await summaryOf(hugeFile(name, sizeBytes, piece));
    expect(found.state).toBe('done');
    const reason = `${name}: ${sizeBytes} bytes; at most ${layerLimits.extractFileBytesMax} are read`;
    expect(reasonOf(found, extractor)).toBe(reason);
  });

  test.each([
    ['dpkg', 'var/lib/dpkg/status', 'Status: install ok installed\nVersion: 1\nPackage: '],
    ['apk', 'lib/apk/db/installed', 'V:1\nP:'],
  ])('a database of more packages than are kept is read no further: %s', async (extractor, name, text) => {
    const count = layerLimits.layerPackagesMax + 1_000;
    const database = Array.from({ length: count }, (_, at) => `${text}p${at}\n\n`).join('');
    const found = await summaryOfEntries([{ name, text: database }]);
    expect(found.state).toBe('done');
    expect(reasonOf(found, extractor)).toBe(`${name}: more than ${layerLimits.layerPackagesMax} packages`);
  });

  test('an os-release without end is not read', async () => {
    const found = await summaryOf(hugeFile('etc/os-release', 2 * MiB, Buffer.from('\n'.repeat(MiB))));
    expect(reasonOf(found, 'os-release')).toBe('etc/os-release: 2097152 bytes; at most 1048576 are read');
    expect(found.os).toBeUndefined();
  });

  test('JSON within JSON is not parsed', async () => {
    const text = `{"name":"a","version":"1","x":${'['.repeat(MiB)}${']'.repeat(MiB)}}`;
    const found = await summaryOfEntries([{ name: 'node_modules/a/package.json', text }]);
    expect(reasonOf(found, 'npm')).toBe('node_modules/a/package.json: JSON that is more than 128 deep');
  });
});

describe('names and links', () => {
  test('lead nowhere but into the layer', async () => {
    const names = [
      '/../../../etc/a',
      'b/../../../../c',
      './/d/.//./e',
      '..',
      '../.wh.f',
      'g/.wh...',
      '.wh..',
      'h\\..\\i',
    ];
    const found = await readLayer(inChunks(await tarOf(names.map((name) => ({ name, text: 'x' })))), {
      extractors,
      clock,
    });
    for (const { path } of found.files) {
      expect(path).not.toMatch(/^\/|\/\/|\/$/);
      expect(path.split('/')).not.toContain('..');
    }
    expect(found.files.map(({ path }) => path)).toEqual(expect.arrayContaining(['etc/a', 'c', 'd/e']));
  });

  test.each([
    ['almost 1 MB', MiB - 100, /^path too long/],
    ['more than 1 MB', MiB + 100, /^broken tar: a header of \d+ bytes; at most 1048576 are allowed/],
  ])('of %s are not kept', async (_name, length, reason) => {
    const layer = await tarOf([
      { name: 'first', text: '1' },
      { name: 'n'.repeat(length), text: '2' },
    ]);
    const found = await readLayer(inChunks(layer), { extractors, clock });
    expect(found).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(reason),
      diffId: digestOf(layer),
    });
    expect(found.files.map(({ path }) => path)).toEqual(['first']);
  });

  test('hard links in a circle are content that nobody has', async () => {
    const path = (name: string) => `node_modules/${name}/package.json`;
    const link = (from: string, to: string): LayerEntry => ({
      name: path(from),
      type: 'link',
      linkname: path(to),
    });
    const found = await summaryOfEntries([link('a', 'b'), link('b', 'c'), link('c', 'a'), link('d', 'd')]);
    expect(found.state).toBe('done');
    expect(reasonOf(found, 'npm')).toContain('a link to node_modules/b/package.json, which is not followed');
  });
});

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('a layer in %s that was cut off anywhere is unknown', async (name, compress) => {
  const samples = Object.values(extractorSamples).flatMap((sample) => sample());
  const layer = compress(await tarOf([...samples, { name: 'noise', bytes: randomBytes(512 * KiB) }]));
  for (let end = 64 * KiB; end < layer.length; end += 64 * KiB) {
    const found = await summaryOf(inChunks(layer.subarray(0, end)));
    expect(found).toMatchObject({ state: 'unknown', reason: expect.stringMatching(`^truncated ${name}`) });
    expect(found.diffId).toBeUndefined();
  }
});

test('a tar that was cut off anywhere is unknown, or ends where an entry does', async () => {
  const samples = Object.values(extractorSamples).flatMap((sample) => sample());
  const layer = await tarOf([...samples, { name: 'noise', bytes: randomBytes(512 * KiB) }]);
  for (let end = 64 * KiB; end < layer.length; end += 64 * KiB) {
    const cut = layer.subarray(0, end);
    const found = await summaryOf(inChunks(cut));
    expect(found.diffId).toBe(digestOf(cut));
    if (found.state !== 'done') expect(found.reason).toMatch(/^truncated tar/);
  }
  // The last file is cut off in most places.
  expect((await summaryOf(inChunks(layer.subarray(0, layer.length - 64 * KiB)))).state).toBe('unknown');
});

test('a compressed layer with bits turned is read, or says what is wrong with it', async () => {
  const layer = await tarOf(Object.values(extractorSamples).flatMap((sample) => sample()));
  const bit = fc.nat(64 * KiB * 8 - 1);
  const turned = fc
    .tuple(fc.constantFrom(gzipSync(layer), zstdCompressSync(layer)), bit)
    .map(([whole, at]) => {
      const copy = Buffer.from(whole);
      const bitAt = at % (copy.length * 8);
      copy[bitAt >> 3] = (copy[bitAt >> 3] ?? 0) ^ (1 << (bitAt & 7));
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(turned, async (bytes) => {
      const found = await summaryOf(inChunks(bytes));
      expect(found.state === 'done' || (found.state === 'unknown' && (found.reason ?? '') !== '')).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('a layer with bits turned is read, or says what is wrong with it', async () => {
  const layers = await Promise.all(Object.values(extractorSamples).map((sample) => tarOf(sample())));
  const turned = fc.constantFrom(...layers).chain((layer) =>
    fc.array(fc.nat(layer.length * 8 - 1), { minLength: 1, maxLength: 8 }).map((bits) => {
      const copy = Buffer.from(layer);
      for (const bit of bits) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    }),
  );
  await fc.assert(
    fc.asyncProperty(turned, async (layer) => {
      const found = await summaryOf(inChunks(layer));
      expect(found.diffId).toBe(digestOf(layer));
      for (const { state, reason } of [found, ...found.extractions])
        expect(state === 'done' || (state === 'unknown' && (reason ?? '') !== '')).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
