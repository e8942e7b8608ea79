/** What holds for every extractor. A new one needs files of its format in test/support/extractor-samples.ts, no more. */
import fc from 'fast-check';
import { PackageURL } from 'packageurl-js';
import { describe, expect, it } from 'vitest';
import { extractorSamples } from '../../../test/support/extractor-samples.ts';
import { inChunks, type LayerEntry, tarOf } from '../../../test/support/layers.ts';
import { isPackageType } from '../../criteria/package-types.ts';
import { parsePackageName } from '../../criteria/purl.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { EntryHeader, Extractor, FileContent } from '../extractor.ts';
import { contentOf } from '../file-content.ts';
import { layerLimits } from '../layer-problem.ts';
import { readLayer } from '../read-layer.ts';
import { extractors } from './list.ts';

const clock = new ManualClock();
const changed = { numRuns: 100 };

it('each has another name, and a version', () => {
  expect(new Set(extractors.map(({ name }) => name)).size).toBe(extractors.length);
  for (const { version } of extractors) expect(version).toBeGreaterThan(0);
});

describe.each(extractors.map((extractor) => [extractor.name, extractor] as const))(
  '%s',
  (name, extractor) => {
    const entries = extractorSamples[name]?.() ?? [];
    const samples = entries.map((entry) => ({ header: headerOf(entry), bytes: bytesOf(entry) }));

    it('wants and accepts the samples, and finds something in each layer of them', async () => {
      expect(samples).not.toEqual([]);
      for (const { header, bytes } of samples)
        expect([header.path, takes(extractor, header, bytes)]).toEqual([header.path, true]);
      const found = await readLayer(inChunks(await tarOf(entries)), { extractors: [extractor], clock });
      expect(found.packages.length > 0 || found.os !== undefined).toBe(true);
    });

    it('gives canonical purls, by which criteria find the package', async () => {
      const found = await readLayer(inChunks(await tarOf(entries)), { extractors: [extractor], clock });
      for (const { purl, name: called } of found.packages) {
        expect(PackageURL.fromString(purl).toString()).toBe(purl);
        expect(isPackageType(PackageURL.fromString(purl).type)).toBe(true);
        // Purls fold the case of some names.
        expect(parsePackageName(purl).name.toLowerCase()).toBe(called.toLowerCase());
      }
    });

    it('decides by the header alone, the same each time, whatever it says', () => {
      fc.assert(
        fc.property(header(samples.map((sample) => sample.header.path)), (entry) => {
          const first = extractor.wants(Object.freeze(entry));
          expect(typeof first).toBe('boolean');
          expect(extractor.wants({ ...entry })).toBe(first);
        }),
      );
    });

    it('finds the same however the layer arrives', async () => {
      const layer = await tarOf(entries);
      const whole = await readLayer(inChunks(layer, layer.length), { extractors: [extractor], clock });
      for (const chunkBytes of [1, 511, 4_097]) {
        if (layer.length / chunkBytes > 100_000) continue;
        expect(await readLayer(inChunks(layer, chunkBytes), { extractors: [extractor], clock })).toEqual(
          whole,
        );
      }
      const pieces = fc.array(fc.oneof(fc.nat(64), fc.nat(layer.length)), { minLength: 1, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(pieces, async (lengths) => {
          const source = inPieces(layer, lengths);
          expect(await readLayer(source, { extractors: [extractor], clock })).toEqual(whole);
        }),
        { numRuns: 30 },
      );
      // And however it is kept meanwhile.
      const spooled = { ...layerLimits, extractHeldBytesMax: 0 };
      expect(
        await readLayer(inChunks(layer, 500), { extractors: [extractor], clock, limits: spooled }),
      ).toEqual(whole);
    });

    it('ends with a result or an error for whatever bytes, and leaves them as they are', () => {
      const sample = fc
        .constantFrom(...samples)
        .chain(({ header: entry, bytes }) => mutated(bytes).map((broken) => ({ entry, broken })));
      fc.assert(
        fc.property(sample, ({ entry, broken }) => {
          const copy = Buffer.from(broken);
          if (extractor.accepts?.(broken.subarray(0, limits.extractStartBytes)) !== false)
            resultOrError(() => extractor.extract(entry, contentOf(broken, limits)));
          expect(copy.equals(broken)).toBe(true);
        }),
        changed,
      );
    });

    it('takes down neither the layer nor another extractor, whatever bytes its files have', async () => {
      const layer = fc.tuple(...samples.map(({ bytes }) => mutated(bytes)));
      await fc.assert(
        fc.asyncProperty(layer, async (contents) => {
          const broken = entries.map((entry, index) => ({
            name: entry.name,
            mode: entry.mode ?? 0o644,
            bytes: contents[index] ?? Buffer.alloc(0),
          }));
          const found = await readLayer(inChunks(await tarOf(broken)), { extractors, clock });
          expect(found.state).toBe('done');
          expect(found.files).toHaveLength(entries.length);
        }),
        { numRuns: 20 },
      );
    });

    const bytesMax = Math.min(extractor.fileBytesMax ?? 0, limits.extractSpoolBytesMax);
    it.skipIf(bytesMax <= limits.extractFileBytesMax)(
      'reads a file that is larger than memory allows piece by piece (skipped for who reads none)',
      () => {
        for (const { header: entry, bytes } of samples) {
          const { content, mostBytes } = padded(bytes, bytesMax);
          resultOrError(() => extractor.extract({ ...entry, sizeBytes: bytesMax }, content));
          expect(mostBytes()).toBeLessThanOrEqual(limits.extractFileBytesMax);
        }
      },
    );
  },
);

/** In pieces of these lengths, one after the other, empty ones too; then what is left. */
async function* inPieces(bytes: Buffer, lengths: readonly number[]) {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

function headerOf({ name: path, mode = 0o644, ...entry }: LayerEntry): EntryHeader {
  return { path, kind: 'file', sizeBytes: bytesOf({ name: path, ...entry }).length, mode };
}

function bytesOf({ text = '', bytes }: LayerEntry): Buffer {
  return bytes === undefined ? Buffer.from(text) : Buffer.from(bytes);
}

function takes(extractor: Extractor, entry: EntryHeader, bytes: Uint8Array): boolean {
  return extractor.wants(entry) && extractor.accepts?.(bytes.subarray(0, limits.extractStartBytes)) !== false;
}

/** Headers of any kind, near the paths that are wanted too. */
function header(paths: readonly string[]): fc.Arbitrary<EntryHeader> {
  const near = fc.tuple(fc.constantFrom('', ...paths), fc.string({ maxLength: 8 }), fc.nat(40));
  return fc.record({
    path: fc.oneof(
      fc.string(),
      near.map(([path, text, at]) => path.slice(0, at) + text + path.slice(at)),
    ),
    kind: fc.constantFrom('file', 'hardlink', 'link'),
    sizeBytes: fc.nat(),
    mode: fc.nat(0o7777),
  });
}

/** The bytes with some of them changed, cut, doubled or made up. */
function mutated(bytes: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat(Math.max(0, bytes.length - 1));
  return fc.oneof(
    fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
      const copy = Buffer.from(bytes);
      for (const [index, value] of changes) if (index < copy.length) copy[index] = value;
      return copy;
    }),
    at.map((index) => Buffer.from(bytes.subarray(0, index))),
    fc.tuple(at, at).map(([from, to]) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])),
    fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
  );
}

/** An extractor may throw what says why; nothing else. */
function resultOrError(extract: () => unknown): void {
  try {
    expect(extract()).toBeTypeOf('object');
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
  }
}

/** The bytes and then zeros, without having them; and how many were asked for at once at most. */
function padded(bytes: Uint8Array, sizeBytes: number): { content: FileContent; mostBytes: () => number } {
  let most = 0;
  const read = (offset: number, length: number) => {
    const size = Math.max(0, Math.min(length, sizeBytes - offset));
    most = Math.max(most, size);
    if (size > limits.extractFileBytesMax) throw new Error('too much at once');
    const piece = Buffer.alloc(size);
    piece.set(bytes.subarray(offset, offset + size));
    return piece;
  };
  return { content: { sizeBytes, read, all: () => read(0, sizeBytes) }, mostBytes: () => most };
}
