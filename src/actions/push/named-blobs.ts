import type { Descriptor } from '../../oci/descriptor.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType } from '../../oci/media-types.ts';
import type { Blob } from '../../records/catalog/blobs.ts';

export type BlobsByDigest = ReadonlyMap<string, Blob>;

/** Config and layers of an image. Of an index what is no manifest by its type: build caches keep their layers so. */
export function blobsNamed(manifest: Manifest): readonly Descriptor[] {
  if (manifest.kind === 'image') return [manifest.config, ...manifest.layers];
  return manifest.manifests.filter(
    ({ mediaType }) => !isManifestMediaType(mediaType) && !isIndexMediaType(mediaType),
  );
}
