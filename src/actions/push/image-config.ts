import type { BlobStore } from '../../blobs/blob-store.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/config.ts';
import type { Digest } from '../../oci/digest.ts';
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
 * @returns `missing`: this repository does not hold it, or the collector was faster, so that the push must be refused also
 *   if somebody brings it meanwhile. undefined if it is unknown what the config says: it is over
 *   `limits.configBytesMax`, or neither typed nor readable as an image's
 * @throws manifestInvalid if it is typed as an image's config and is none
 */
export async function readImageConfig(
  store: { read: Reader; blobs: Pick<BlobStore, 'read'> },
  repository: string,
  manifest: ImageManifest,
): Promise<ImageConfig | 'missing' | undefined> {
  const bytes = await configBytes(store, repository, manifest.config.digest);
  if (bytes === 'missing' || bytes === undefined) return bytes;
  try {
    return parseImageConfig(bytes);
  } catch (cause) {
    if (!hasImageConfig(manifest)) return undefined;
    if (!hasCode(cause, 'manifestInvalid')) throw cause;
    const detail = { ...cause.detail, digest: manifest.config.digest };
    throw new LazaretError('manifestInvalid', cause.message, { detail, cause });
  }
}

/** It may be collected, and pushed again under another key, between its row and its bytes. */
async function configBytes(
  { read, blobs }: { read: Reader; blobs: Pick<BlobStore, 'read'> },
  repository: string,
  digest: Digest,
): Promise<Uint8Array | 'missing' | undefined> {
  let gone: { readonly key: string; readonly error: unknown } | undefined;
  for (;;) {
    const row = await blobInRepository(read, { repository, digest });
    if (row?.state !== 'live' || row.storage_key === null) return 'missing';
    if (row.size_bytes > limits.configBytesMax) return undefined;
    if (gone?.key === row.storage_key) throw gone.error;
    try {
      const { stream } = await blobs.read(row.storage_key);
      return await collect(stream, limits.configBytesMax);
    } catch (error) {
      if (!hasCode(error, 'storeMissing')) throw error;
      gone = { key: row.storage_key, error };
    }
  }
}
