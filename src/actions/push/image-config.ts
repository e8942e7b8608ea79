import type { BlobStore } from '../../blobs/blob-store.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/config.ts';
import type { ImageManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { blobInRepository } from '../../records/catalog/blobs.ts';
import type { Reader } from '../../records/db/engine.ts';

/** Whether the manifest says that its config is an image's. What else it is, a runtime will not run. */
export function hasImageConfig(manifest: ImageManifest): boolean {
  const { mediaType } = manifest.config;
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

/**
 * Reads the config that a manifest names from the blob store, before any transaction.
 * @returns undefined if it is unknown what the config says: it is over `limits.configBytesMax`, not in this repository
 *   (which the push itself will refuse), or neither typed nor readable as an image's
 * @throws manifestInvalid if it is typed as an image's config and is none
 */
export async function readImageConfig(
  { read, blobs }: { read: Reader; blobs: BlobStore },
  repository: string,
  manifest: ImageManifest,
): Promise<ImageConfig | undefined> {
  const row = await blobInRepository(read, { repository, digest: manifest.config.digest });
  if (row?.state !== 'live' || row.storage_key === null || row.size_bytes > limits.configBytesMax)
    return undefined;
  const { stream } = await blobs.read(row.storage_key);
  const bytes = await collect(stream, limits.configBytesMax);
  try {
    return parseImageConfig(bytes);
  } catch (cause) {
    if (!hasImageConfig(manifest)) return undefined;
    if (!hasCode(cause, 'manifestInvalid')) throw cause;
    const detail = { ...cause.detail, digest: manifest.config.digest };
    throw new LazaretError('manifestInvalid', cause.message, { detail, cause });
  }
}
