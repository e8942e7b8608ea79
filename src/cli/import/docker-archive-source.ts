import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { LazaretError } from '../../lib/errors.ts';
import { type Field, parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { parseImageConfig } from '../../oci/config.ts';
import { type Digest, digestEnd, digestOf, isDigest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { nameOfReference } from './image-names.ts';
import type { ImportSource, SourceManifest, SourceProblem, SourceRepository } from './import-source.ts';
import type { SourceFiles } from './source-files.ts';

/**
 * What `docker save` wrote before it wrote OCI layouts too: a configuration and tar files per image, and no manifest. One
 * is made here, always the same for the same archive: an OCI manifest in canonical JSON that names the configuration and
 * the layers as they lie in the archive, uncompressed as docker writes them. So configuration and layers (whose digests
 * are their diff ids) keep their digests; the manifest's is new, since the archive has none.
 */
export const archiveManifestFile = 'manifest.json';

export async function dockerArchiveSource(files: SourceFiles, label: string): Promise<ImportSource> {
  const bytes = await collect(await files.read(archiveManifestFile), limits.clientAnswerBytesMax);
  const entries = parseJsonField(bytes, archiveManifestFile).items(limits.importEntriesMax);
  const contents = new ArchiveContents(files);
  const repositories = new Map<string | undefined, ArchiveRepository>();
  for (const entry of entries) await addImage(entry, contents, repositories);
  const remark =
    'the archive has no manifests: one was made for each image, the same each time; configurations and layers keep their digests';
  return { label, remark, repositories: async () => [...repositories.values()], close: files.close };
}

async function addImage(
  entry: Field,
  contents: ArchiveContents,
  repositories: Map<string | undefined, ArchiveRepository>,
): Promise<void> {
  const of = (name: string | undefined) => {
    const known = repositories.get(name) ?? new ArchiveRepository(contents, name);
    repositories.set(name, known);
    return known;
  };
  const names =
    entry
      .optionalOrNull('RepoTags')
      ?.items(limits.importEntriesMax)
      .map((tag) => tag.string()) ?? [];
  try {
    const digest = await contents.addImage(entry);
    if (names.length === 0) of(undefined).untagged.push(digest);
    for (const name of names) {
      const found = nameOfReference(name);
      if (found?.tag === undefined)
        of(undefined).problems.push({ what: name, problem: 'is not a name and tag' });
      else of(found.repository).tags.set(found.tag, digest);
    }
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code === 'unavailable') throw error;
    const what = names.length === 0 ? entry.path : names.join(', ');
    of(undefined).problems.push({ what, problem: `can't be read: ${error.message}` });
  }
}

/** Which file of the archive has which digest, and the manifests made for its images. */
class ArchiveContents {
  readonly #files: SourceFiles;
  readonly #paths = new Map<Digest, string>();
  readonly #manifests = new Map<Digest, SourceManifest>();

  constructor(files: SourceFiles) {
    this.#files = files;
  }

  manifest(digest: Digest): SourceManifest | undefined {
    return this.#manifests.get(digest);
  }

  async size(digest: Digest): Promise<number | undefined> {
    const path = this.#paths.get(digest);
    return path === undefined ? undefined : this.#files.sizeOf(path);
  }

  read(digest: Digest, offset: number) {
    const path = this.#paths.get(digest);
    if (path === undefined) throw new LazaretError('blobUnknown', `the archive has no ${digest}`);
    return this.#files.read(path, offset);
  }

  /** @throws invalid, manifestInvalid, blobUnknown, tooLarge */
  async addImage(entry: Field): Promise<Digest> {
    const configPath = posix.normalize(entry.member('Config').text());
    const bytes = await collect(await this.#files.read(configPath), limits.configBytesMax);
    const { diffIds } = parseImageConfig(bytes);
    const paths =
      entry
        .optionalOrNull('Layers')
        ?.items(limits.manifestLayersMax)
        .map((layer) => layer.text()) ?? [];
    if (paths.length !== diffIds.length)
      throw entry.error(`has ${paths.length} layers, and its configuration names ${diffIds.length}`);
    const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(bytes), size: bytes.length };
    this.#paths.set(config.digest, configPath);
    const layers: object[] = [];
    for (const [at, diffId] of diffIds.entries())
      layers.push(await this.#layer(posix.normalize(paths[at] ?? ''), diffId));
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
    const made = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(made);
    this.#manifests.set(digest, { digest, bytes: made, contentType: mediaTypes.ociManifest });
    return digest;
  }

  /** A layer that lies there plain has its diff id for digest; whoever takes it compares. Others are hashed here. */
  async #layer(path: string, diffId: Digest): Promise<object> {
    const size = await this.#files.sizeOf(path);
    if (size === undefined) throw new LazaretError('blobUnknown', `the archive has no ${path}`);
    const mediaType = await this.#layerType(path);
    const digest = mediaType === mediaTypes.ociLayer ? diffId : await this.#hashed(path);
    this.#paths.set(digest, path);
    return { mediaType, digest, size };
  }

  async #layerType(path: string): Promise<string> {
    for await (const chunk of await this.#files.read(path)) {
      const start = Buffer.from(chunk.subarray(0, 4)).toString('hex');
      if (start.startsWith('1f8b')) return mediaTypes.ociLayerGzip;
      return start === '28b52ffd' ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer;
    }
    return mediaTypes.ociLayer;
  }

  async #hashed(path: string): Promise<Digest> {
    const hash = createHash('sha256');
    for await (const chunk of await this.#files.read(path)) hash.update(chunk);
    return digestEnd(hash, 'sha256');
  }
}

class ArchiveRepository implements SourceRepository {
  readonly name: string | undefined;
  readonly tags = new Map<string, Digest>();
  readonly untagged: Digest[] = [];
  readonly problems: SourceProblem[] = [];
  readonly #contents: ArchiveContents;

  constructor(contents: ArchiveContents, name: string | undefined) {
    this.#contents = contents;
    this.name = name;
  }

  async list() {
    return { tags: [...this.tags.keys()], untagged: this.untagged, problems: this.problems };
  }

  async manifest(reference: string): Promise<SourceManifest | undefined> {
    const digest = isDigest(reference) ? reference : this.tags.get(reference);
    return digest === undefined ? undefined : this.#contents.manifest(digest);
  }

  /** Docker's archives have none. */
  async referrers() {
    return [];
  }

  blobSize(digest: Digest): Promise<number | undefined> {
    return this.#contents.size(digest);
  }

  async blob(digest: Digest, offset: number) {
    return this.#contents.read(digest, offset);
  }
}
