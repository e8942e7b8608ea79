import { LazaretError } from '../../lib/errors.ts';
import { type Field, parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { type Descriptor, parseDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { nameOfEntry } from './image-names.ts';
import type { ImportSource, SourceManifest, SourceProblem, SourceRepository } from './import-source.ts';
import { layoutBlobPath, layoutIndexFile, type SourceFiles } from './source-files.ts';

/**
 * An OCI image layout (image-layout.md), in a folder or a tar archive; what `docker save` writes today is one too. Each
 * entry of its index is a tag, if it is named, or else just a manifest; entries that carry whole references make
 * repositories.
 */
export async function layoutSource(files: SourceFiles, label: string): Promise<ImportSource> {
  const bytes = await collect(await files.read(layoutIndexFile), limits.clientAnswerBytesMax);
  const entries = parseJsonField(bytes, layoutIndexFile).member('manifests').items(limits.importEntriesMax);
  const grouped = new Map<string | undefined, LayoutRepository>();
  const of = (name: string | undefined) => {
    const known = grouped.get(name) ?? new LayoutRepository(files, name);
    grouped.set(name, known);
    return known;
  };
  for (const entry of entries) addEntry(entry, of);
  return {
    label,
    repositories: async () => [...grouped.values()],
    close: files.close,
  };
}

function addEntry(entry: Field, of: (name: string | undefined) => LayoutRepository): void {
  let descriptor: Descriptor;
  try {
    descriptor = parseDescriptor(entry);
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error;
    of(undefined).problems.push({ what: entry.path, problem: error.message });
    return;
  }
  const { repository, tag } = nameOfEntry(descriptor.annotations);
  of(repository).add(descriptor, tag);
}

class LayoutRepository implements SourceRepository {
  readonly name: string | undefined;
  readonly problems: SourceProblem[] = [];
  readonly #files: SourceFiles;
  readonly #tags = new Map<string, Digest>();
  readonly #entries = new Map<Digest, string>();
  #subjects: Promise<ReadonlyMap<Digest, readonly { digest: Digest }[]>> | undefined;

  constructor(files: SourceFiles, name: string | undefined) {
    this.#files = files;
    this.name = name;
  }

  add({ digest, mediaType }: Descriptor, tag: string | undefined): void {
    this.#entries.set(digest, mediaType);
    const before = tag === undefined ? undefined : this.#tags.get(tag);
    if (before !== undefined && before !== digest)
      this.problems.push({ what: `tag ${tag}`, problem: `is there twice; ${digest} was taken` });
    if (tag !== undefined) this.#tags.set(tag, digest);
  }

  async list() {
    const tagged = new Set(this.#tags.values());
    const untagged = [...this.#entries.keys()].filter((digest) => !tagged.has(digest));
    return { tags: [...this.#tags.keys()], untagged, problems: this.problems };
  }

  async manifest(reference: string): Promise<SourceManifest | undefined> {
    const digest = isDigest(reference) ? reference : this.#tags.get(reference);
    if (digest === undefined || (await this.blobSize(digest)) === undefined) return undefined;
    const bytes = await collect(await this.blob(digest, 0), limits.manifestBytesMax);
    return { digest, bytes, contentType: this.#entries.get(digest) };
  }

  async referrers(digest: Digest) {
    this.#subjects ??= this.#readSubjects();
    return (await this.#subjects).get(digest) ?? [];
  }

  blobSize(digest: Digest): Promise<number | undefined> {
    return this.#files.sizeOf(layoutBlobPath(digest));
  }

  blob(digest: Digest, offset: number) {
    return this.#files.read(layoutBlobPath(digest), offset);
  }

  async #readSubjects(): Promise<ReadonlyMap<Digest, readonly { digest: Digest }[]>> {
    return subjectsOf(this.#entries.keys(), (digest) => this.manifest(digest));
  }
}

/** For sources that can list their manifests but are not asked for referrers: which ones name which subject. */
export async function subjectsOf(
  digests: Iterable<Digest>,
  read: (digest: Digest) => Promise<SourceManifest | undefined>,
): Promise<ReadonlyMap<Digest, readonly { digest: Digest }[]>> {
  const found = new Map<Digest, { digest: Digest }[]>();
  for (const digest of digests) {
    const subject = subjectOf(await read(digest));
    if (subject === undefined) continue;
    const referrers = found.get(subject) ?? [];
    found.set(subject, [...referrers, { digest }]);
  }
  return found;
}

/** What can't be read here is told when the manifest itself is copied. */
function subjectOf(manifest: SourceManifest | undefined): Digest | undefined {
  if (manifest === undefined) return undefined;
  try {
    return parseManifest(manifest.bytes).subject?.digest;
  } catch (error) {
    if (error instanceof LazaretError) return undefined;
    throw error;
  }
}
