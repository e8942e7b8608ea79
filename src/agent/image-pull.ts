import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Dispatcher } from 'undici';
import { authorization, type Client, trusting } from '../client/client.ts';
import { errorOfBody } from '../contract/errors.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { type ByteSource, collect, hashing, limitBytes } from '../lib/streams.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestEnd, digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { layoutBlob, layoutIndex, layoutMarker } from './runtimes/image-layout.ts';
import type { ImageSource } from './runtimes/runtime.ts';

/** Copies an image from a region into a folder, as an OCI layout. Replaced by tests that need no server. */
export type PullImage = (
  image: { readonly repository: string; readonly digest: Digest; readonly folder: string },
  signal: AbortSignal,
) => Promise<ImageSource>;

/**
 * Through the distribution API, as any client would; each blob is verified while it is written.
 * @throws denied, quarantined, manifestUnknown, blobUnknown as the region answers; digestInvalid, invalid; unavailable
 */
export function imagePuller(client: Client): PullImage {
  return async ({ repository, digest, folder }, signal) => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const base = `/v2/${repository}`;
    const accept = `${mediaTypes.ociManifest}, ${mediaTypes.dockerManifest}`;
    const body = await get(client, { path: `${base}/manifests/${digest}`, accept }, signal);
    const bytes = await collect(body, limits.manifestBytesMax);
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest)
      throw new LazaretError('digestInvalid', `the region sent something else as manifest ${digest}`);
    const manifest = parseManifest(bytes);
    if (manifest.kind !== 'image') throw new LazaretError('invalid', `${digest} is not an image`);
    for (const blob of uniqueBlobs([manifest.config, ...manifest.layers])) {
      const path = `${base}/blobs/${blob.digest}`;
      await writeVerified(folder, blob, await get(client, { path, accept: '*/*' }, signal));
    }
    await write(layoutBlob(folder, digest), bytes);
    await write(join(folder, 'oci-layout'), layoutMarker);
    const { mediaType } = manifest;
    await write(join(folder, 'index.json'), layoutIndex({ mediaType, digest, size: bytes.length }));
    return { layoutFolder: folder, manifest: digest };
  };
}

/** Silence of the region for so long, before or within an answer, ends the pull. */
const silenceMs = 30_000;

async function get(
  client: Client,
  { path, accept }: { path: string; accept: string },
  signal: AbortSignal,
): Promise<ByteSource> {
  const { request } = await import('undici');
  const headers = { accept, ...authorization(client.credentials) };
  const timeouts = { headersTimeout: silenceMs, bodyTimeout: silenceMs };
  const options = { headers, signal, ...timeouts, ...(await trusting(client)) };
  const response = await request(`${client.url}${path}`, options).catch((cause: unknown) => {
    throw signal.aborted ? cause : new LazaretError('unavailable', `no answer from ${client.url}`, { cause });
  });
  if (response.statusCode !== 200) throw errorOfBody(response.statusCode, await jsonOf(response));
  return response.body;
}

async function jsonOf(response: Dispatcher.ResponseData): Promise<unknown> {
  const text = (await collect(response.body, limits.apiBodyBytesMax)).toString();
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not from us; the status says enough
  }
}

async function writeVerified(folder: string, blob: Descriptor, body: ByteSource): Promise<void> {
  const algorithm = digestAlgorithm(blob.digest);
  const hash = createHash(algorithm);
  const file = layoutBlob(folder, blob.digest);
  await mkdir(dirname(file), { recursive: true });
  const tooLong = () => wrong(blob, `is longer than its ${blob.size} bytes`);
  try {
    await pipeline(
      hashing(limitBytes(body, blob.size, tooLong), hash),
      createWriteStream(file, { mode: 0o600 }),
    );
  } catch (cause) {
    if (cause instanceof LazaretError || (cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new LazaretError('unavailable', `blob ${blob.digest} could not be copied`, { cause });
  }
  if (digestEnd(hash, algorithm) !== blob.digest) throw wrong(blob, 'has another digest');
}

function wrong(blob: Descriptor, how: string): LazaretError {
  return new LazaretError('digestInvalid', `what the region sent as ${blob.digest} ${how}`);
}

function uniqueBlobs(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
}
