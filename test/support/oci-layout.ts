/**
 * Small verbs that build OCI images in code, the same bytes each time: every entry belongs to 0:0 and has modification
 * time 0. `buildLayer` → `buildImage` → `writeLayout`, or push the parts. The demo builds its images with them too.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Digest, digestOf } from '../../src/oci/digest.ts';

export type LayerEntry =
  | { readonly path: string; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly hardLink: string }
  | { readonly path: string; readonly folder: true; readonly mode?: number };

export type LayerCompression = 'gzip' | 'none' | 'zstd';

export interface LayerOptions {
  readonly compression?: LayerCompression;
  /** 1 (quick) to 9 (small). */
  readonly gzipLevel?: number;
}

export interface Content {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array;
}

export interface Layer extends Content {
  readonly diffId: Digest;
}

export interface Image {
  readonly manifest: Content;
  readonly config: Content;
  readonly layers: readonly Layer[];
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const zlibDefaultLevel = constants.Z_DEFAULT_COMPRESSION;
const layerSuffix = { gzip: '+gzip', none: '', zstd: '+zstd' } as const;

/** A layer with these entries, in this order. Folders that are only implied by a path get no entry. */
export async function buildLayer(entries: readonly LayerEntry[], options: LayerOptions = {}): Promise<Layer> {
  return compressLayer(await buildTar(entries), options);
}

/** The layer of a tar that is there: another compression makes another digest of the same diff id. */
export async function compressLayer(tar: Buffer, options: LayerOptions = {}): Promise<Layer> {
  const compression = options.compression ?? 'gzip';
  const bytes = await compress(tar, compression, options.gzipLevel);
  return { ...content(`${mediaTypes.layer}${layerSuffix[compression]}`, bytes), diffId: digestOf(tar) };
}

export interface ImageParts {
  readonly layers: readonly Layer[];
  /** The `config` member of the image's configuration: Cmd, Env, User, Labels … */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** In Go's words; this machine's unless told. */
  readonly architecture?: string;
  readonly os?: string;
}

/** This machine's, in Go's words. */
export const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

export function buildImage(parts: ImageParts): Image {
  const config = jsonContent(mediaTypes.config, {
    architecture: parts.architecture ?? ownArchitecture,
    os: parts.os ?? 'linux',
    config: parts.config ?? {},
    rootfs: { type: 'layers', diff_ids: parts.layers.map((layer) => layer.diffId) },
  });
  const manifest = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: parts.layers.map(descriptor),
    ...(parts.annotations && { annotations: parts.annotations }),
  });
  return { manifest, config, layers: parts.layers };
}

/** Any JSON document as content: an index, an artifact's manifest, an OCI configuration of one's own. */
export function jsonContent(mediaType: string, document: unknown): Content {
  return content(mediaType, Buffer.from(JSON.stringify(document)));
}

export function content(mediaType: string, bytes: Uint8Array): Content {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

export function descriptor(of: Content): Descriptor {
  return { mediaType: of.mediaType, digest: of.digest, size: of.size };
}

/** Writes the image as an OCI image layout (image-layout.md); an image that shares layers may be written beside it. */
export async function writeLayout(folder: string, image: Image, ref = 'latest'): Promise<void> {
  await writeContents(folder, { root: image.manifest, parts: [image.config, ...image.layers] }, ref);
}

/** The same for whatever `root` is: an index, say, with all that it and its children name as `parts`. */
export async function writeContents(
  folder: string,
  { root, parts }: { readonly root: Content; readonly parts: readonly Content[] },
  ref = 'latest',
): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  for (const part of [root, ...parts])
    await writeFile(join(blobs, part.digest.slice('sha256:'.length)), part.bytes);
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const named = { ...descriptor(root), annotations: { 'org.opencontainers.image.ref.name': ref } };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [named] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
}

async function buildTar(entries: readonly LayerEntry[]): Promise<Buffer> {
  const tar = pack();
  const collected = buffer(tar);
  for (const entry of entries) {
    const owner = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
    if ('link' in entry) tar.entry({ ...owner, type: 'symlink', linkname: entry.link, mode: 0o777 });
    else if ('hardLink' in entry) tar.entry({ ...owner, type: 'link', linkname: entry.hardLink });
    else if ('folder' in entry) tar.entry({ ...owner, type: 'directory', mode: entry.mode ?? 0o755 });
    else tar.entry({ ...owner, type: 'file', mode: entry.mode ?? 0o644 }, Buffer.from(entry.content));
  }
  tar.finalize();
  return collected;
}

function compress(
  tar: Buffer,
  compression: LayerCompression,
  gzipLevel = zlibDefaultLevel,
): Promise<Buffer> | Buffer {
  switch (compression) {
    case 'gzip':
      return promisify(gzip)(tar, { level: gzipLevel });
    case 'zstd':
      return promisify(zstdCompress)(tar);
    case 'none':
      return tar;
  }
}
