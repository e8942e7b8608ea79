/** The OCI image layout (image-layout.md) in which the agent hands an image to a runtime, and how it is read. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LazaretError } from '../../lib/errors.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { ImageSource } from './runtime.ts';

export type LayoutDescriptor = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

export interface LayoutImage {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** The content of the file `oci-layout`. */
export const layoutMarker = JSON.stringify({ imageLayoutVersion: '1.0.0' });

/** The name under which the one manifest of a layout is found. */
export const layoutRefName = 'lazaret';

/** The content of `index.json` for a layout that holds this one manifest. */
export function layoutIndex({ mediaType, digest, size }: LayoutDescriptor): string {
  const annotations = { 'org.opencontainers.image.ref.name': layoutRefName };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType, digest, size, annotations }],
  });
}

/** Where a layout keeps the bytes of `digest`. */
export function layoutBlob(folder: string, digest: Digest): string {
  const algorithm = digestAlgorithm(digest);
  return join(folder, 'blobs', algorithm, digest.slice(algorithm.length + 1));
}

/**
 * Reads and verifies manifest and config, and that every layer is there in full size. The digest of a layer is verified
 * by whoever reads its bytes.
 * @throws invalid when a document is malformed, or something is missing or of the wrong size or digest
 */
export async function readLayoutImage({ layoutFolder, manifest: digest }: ImageSource): Promise<LayoutImage> {
  const manifest = parsed('manifest', digest, parseManifest, await readVerified(layoutFolder, digest));
  if (manifest.kind !== 'image') throw broken(`${digest} is an index, not the manifest of one image`);
  for (const blob of [manifest.config, ...manifest.layers]) await checkSize(layoutFolder, blob);
  const configBytes = await readVerified(layoutFolder, manifest.config.digest);
  const config = parsed('config', manifest.config.digest, parseImageConfig, configBytes);
  if (config.diffIds.length !== manifest.layers.length)
    throw broken(`the config names ${config.diffIds.length} layers, the manifest ${manifest.layers.length}`);
  return { manifest, config };
}

async function readVerified(folder: string, digest: Digest): Promise<Buffer> {
  const bytes = await readFile(layoutBlob(folder, digest)).catch((cause: unknown) => {
    throw missing(digest, cause);
  });
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) return bytes;
  throw broken(`what the layout holds as ${digest} does not have this digest`);
}

function parsed<T>(what: string, digest: Digest, parse: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return parse(bytes);
  } catch (cause) {
    throw broken(`the ${what} ${digest} can't be used`, cause);
  }
}

async function checkSize(folder: string, blob: LayoutDescriptor): Promise<void> {
  const found = await stat(layoutBlob(folder, blob.digest)).catch((cause: unknown) => {
    throw missing(blob.digest, cause);
  });
  if (found.size !== blob.size)
    throw broken(`the layout holds ${found.size} bytes of ${blob.digest}, not ${blob.size}`);
}

function missing(digest: Digest, cause: unknown): unknown {
  const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return absent ? broken(`the layout does not hold ${digest}`, cause) : cause;
}

function broken(message: string, cause?: unknown): LazaretError {
  return new LazaretError('invalid', message, { cause });
}
