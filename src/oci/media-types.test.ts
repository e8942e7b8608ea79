import { describe, expect, test } from 'vitest';
import {
  isFilesystemLayer,
  isIndexMediaType,
  isLayerMediaType,
  isManifestMediaType,
  isNonDistributable,
  mediaTypes,
} from './media-types.ts';

describe('media types', () => {
  test.each([
    [mediaTypes.ociLayerGzip, true, true, false],
    [mediaTypes.dockerLayerGzip, true, true, false],
    [mediaTypes.dockerForeignLayerGzip, true, true, true],
    [mediaTypes.ociNonDistributable, true, true, true],
    [`${mediaTypes.ociLayerGzip}+encrypted`, false, true, false],
    ['Application/vnd.oci.image.layer.v1.tar; x=y', true, true, false],
    ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', false, false, false],
    ['application/vnd.in-toto+json', false, false, false],
    [mediaTypes.ociEmpty, false, false, false],
    ['', false, false, false],
  ])('%s: layer %s, file system %s, non-distributable %s', (type, layer, filesystem, foreign) => {
    expect(isLayerMediaType(type)).toBe(layer);
    expect(isFilesystemLayer(type)).toBe(filesystem);
    expect(isNonDistributable(type)).toBe(foreign);
  });

  test('manifests and indexes are told apart in both dialects', () => {
    expect([mediaTypes.ociManifest, mediaTypes.dockerManifest].every(isManifestMediaType)).toBe(true);
    expect([mediaTypes.ociIndex, mediaTypes.dockerIndex].every(isIndexMediaType)).toBe(true);
    expect([mediaTypes.ociIndex, mediaTypes.ociConfig].some(isManifestMediaType)).toBe(false);
    expect([mediaTypes.ociManifest, mediaTypes.ociLayer].some(isIndexMediaType)).toBe(false);
  });
});
