/**
 * What umoci is shown of an image. It knows OCI media types, gzip and no compression, and sha256; images also come with
 * Docker's media types (any `docker push`), zstd layers and sha512. So each image gets a layout of its own with a
 * manifest that umoci understands: blobs that it can read are links, the others are converted. The content is the same,
 * since a layer's diff id does not depend on its compression, and umoci checks digests and diff ids of what it reads.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ByteSource, hashing, limitBytes } from '../../lib/streams.ts';
import { digestAlgorithm, digestEnd, digestOf } from '../../oci/digest.ts';
import { isLayerMediaType, mediaTypes } from '../../oci/media-types.ts';
import {
  type LayoutDescriptor,
  layoutBlob,
  layoutIndex,
  layoutMarker,
  readLayoutImage,
} from './image-layout.ts';
import type { ImageSource } from './runtime.ts';

/** Writes the layout into `folder`, which must not exist. @throws invalid when the source is broken */
export async function writeUmociLayout(
  source: ImageSource,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const { manifest: image } = await readLayoutImage(source);
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  const config = { ...(await carry(source, folder, image.config, signal)), mediaType: mediaTypes.ociConfig };
  const layers: LayoutDescriptor[] = [];
  for (const layer of image.layers) {
    const mediaType = layerType(layer.mediaType);
    layers.push({ ...(await carry(source, folder, layer, signal)), mediaType });
  }
  const mediaType = mediaTypes.ociManifest;
  const bytes = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
  const manifest = { mediaType, digest: digestOf(bytes), size: Buffer.byteLength(bytes) };
  await writeFile(layoutBlob(folder, manifest.digest), bytes);
  await writeFile(join(folder, 'oci-layout'), layoutMarker);
  await writeFile(join(folder, 'index.json'), layoutIndex(manifest));
}

/** zstd becomes plain tar; foreign and nondistributable layers are layers once their bytes are here. */
function layerType(mediaType: string): string {
  if (!isLayerMediaType(mediaType))
    throw new LazaretError('invalid', `a layer of media type '${mediaType}' can't be unpacked`);
  return /[+.]gzip$/i.test(mediaType) ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer;
}

async function carry(
  source: ImageSource,
  folder: string,
  blob: LayoutDescriptor,
  signal: AbortSignal | undefined,
): Promise<LayoutDescriptor> {
  const from = resolve(layoutBlob(source.layoutFolder, blob.digest));
  if (digestAlgorithm(blob.digest) !== 'sha256' || isZstd(blob)) return convert(from, folder, blob, signal);
  // Two layers with the same bytes share one link.
  await symlink(from, layoutBlob(folder, blob.digest)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
  });
  return blob;
}

function isZstd(blob: LayoutDescriptor): boolean {
  return /[+.]zstd$/i.test(blob.mediaType);
}

/** Copies the blob under a sha256, uncompressed if it was zstd, and verifies what it read. */
async function convert(
  from: string,
  folder: string,
  blob: LayoutDescriptor,
  signal: AbortSignal | undefined,
): Promise<LayoutDescriptor> {
  const algorithm = digestAlgorithm(blob.digest);
  const [read, written] = [createHash(algorithm), createHash('sha256')];
  const part = join(folder, 'converting');
  const bytesMax = limits.layerUncompressedBytesMax;
  const exceeded = () =>
    new LazaretError('invalid', `layer ${blob.digest} is larger than ${bytesMax} bytes uncompressed`);
  let size = 0;
  const measure = async function* (source: ByteSource) {
    for await (const chunk of limitBytes(source, bytesMax, exceeded)) {
      size += chunk.byteLength;
      written.update(chunk);
      yield chunk;
    }
  };
  await pipeline(
    createReadStream(from),
    (source: ByteSource) => hashing(source, read),
    isZstd(blob) ? createZstdDecompress() : new PassThrough(),
    measure,
    createWriteStream(part),
    { signal },
  ).catch((cause: unknown) => {
    throw convertError(blob, cause);
  });
  if (digestEnd(read, algorithm) !== blob.digest)
    throw new LazaretError('invalid', `the bytes of layer ${blob.digest} do not have this digest`);
  const digest = digestEnd(written, 'sha256');
  await rename(part, layoutBlob(folder, digest));
  return { mediaType: blob.mediaType, digest, size };
}

function convertError(blob: LayoutDescriptor, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (!code.startsWith('ZSTD') && code !== 'Z_BUF_ERROR') return cause;
  return new LazaretError('invalid', `layer ${blob.digest} is not valid zstd`, { cause });
}
