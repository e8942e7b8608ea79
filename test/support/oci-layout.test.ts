import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { buildImage, buildLayer, type LayerEntry } from './oci-layout.ts';

const entries: readonly LayerEntry[] = [
  { path: 'bin/', folder: true },
  { path: 'bin/app', content: '#!/bin/sh\n', mode: 0o755 },
  { path: 'app', link: 'bin/app' },
  { path: 'same', hardLink: 'bin/app' },
];

test('an image built twice has the same bytes, and every compression of a layer the same diff id', async () => {
  const [first, second] = [await buildLayer(entries), await buildLayer(entries)];
  expect(buildImage({ layers: [first] })).toEqual(buildImage({ layers: [second] }));
  const plain = await buildLayer(entries, { compression: 'none' });
  const zstd = await buildLayer(entries, { compression: 'zstd' });
  expect(new Set([first.diffId, plain.diffId, zstd.diffId, plain.digest]).size).toBe(1);
  expect(digestOf(gunzipSync(first.bytes))).toBe(first.diffId);
  expect(digestOf(zstdDecompressSync(zstd.bytes))).toBe(first.diffId);
});

test('an image built in code is one that the registry accepts', async () => {
  const layer = await buildLayer(entries);
  const image = buildImage({ layers: [layer], annotations: { note: 'test' } });
  expect(parseManifest(image.manifest.bytes, image.manifest.mediaType)).toMatchObject({
    kind: 'image',
    config: { digest: image.config.digest },
    layers: [{ digest: layer.digest, size: layer.size }],
    annotations: { note: 'test' },
  });
});
