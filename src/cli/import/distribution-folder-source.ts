import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { type Digest, digestAlgorithm, isDigest } from '../../oci/digest.ts';
import { fileSize, isMissing, readFrom } from './folder-files.ts';
import type { ImportSource, SourceManifest, SourceProblem, SourceRepository } from './import-source.ts';
import { subjectsOf } from './layout-source.ts';

/**
 * The data folder of CNCF distribution (docker-registry): `docker/registry/v2` with
 *
 *   blobs/sha256/ab/abcd…/data                              all bytes
 *   repositories/NAME/_manifests/revisions/sha256/abcd…/link    a manifest of the repository, until it is deleted
 *   repositories/NAME/_manifests/tags/TAG/current/link          the digest that a tag points to
 *
 * Its server may be running: nothing is written, and what appears meanwhile comes with the next import. What no manifest
 * names (`_layers` without one) is rubbish there and not looked at.
 */
export function distributionFolderSource(root: string, label: string): ImportSource {
  return {
    label,
    repositories: async () => {
      const names: string[] = [];
      await findRepositories(join(root, 'repositories'), '', names);
      return names.sort().map((name) => new FolderRepository(root, name));
    },
    close: async () => undefined,
  };
}

/** Where in `folder` the data are: a registry's own folder, or one of those above. */
export async function distributionRoot(folder: string): Promise<string | undefined> {
  for (const inside of ['.', 'docker/registry/v2', 'registry/v2', 'v2']) {
    const root = join(folder, inside);
    const names = await namesIn(root);
    if (names.includes('repositories') && names.includes('blobs')) return root;
  }
  return undefined;
}

async function findRepositories(folder: string, name: string, found: string[]): Promise<void> {
  const entries = await namesIn(folder);
  if (entries.includes('_manifests')) found.push(name);
  if (found.length > limits.importEntriesMax) throw new LazaretError('tooLarge', 'too many repositories');
  for (const entry of entries)
    if (!entry.startsWith('_'))
      await findRepositories(join(folder, entry), name === '' ? entry : `${name}/${entry}`, found);
}

class FolderRepository implements SourceRepository {
  readonly name: string;
  readonly #root: string;
  readonly #tags = new Map<string, Digest>();
  #revisions: Promise<ReadonlySet<Digest>> | undefined;
  #subjects: Promise<ReadonlyMap<Digest, readonly { digest: Digest }[]>> | undefined;

  constructor(root: string, name: string) {
    this.#root = root;
    this.name = name;
  }

  async list() {
    const problems: SourceProblem[] = [];
    const revisions = await this.#allRevisions();
    const folder = join(this.#manifestsFolder(), 'tags');
    for (const tag of await namesIn(folder)) {
      const digest = await linkAt(join(folder, tag, 'current', 'link'));
      if (digest === undefined) problems.push({ what: `tag ${tag}`, problem: 'points nowhere' });
      else if (!revisions.has(digest))
        problems.push({ what: `tag ${tag}`, problem: `points to ${digest}, which was deleted there` });
      else this.#tags.set(tag, digest);
    }
    const tagged = new Set(this.#tags.values());
    const untagged = [...revisions].filter((digest) => !tagged.has(digest));
    return { tags: [...this.#tags.keys()], untagged, problems };
  }

  async manifest(reference: string): Promise<SourceManifest | undefined> {
    const digest = isDigest(reference) ? reference : this.#tags.get(reference);
    if (digest === undefined || !(await this.#allRevisions()).has(digest)) return undefined;
    if ((await this.blobSize(digest)) === undefined) return undefined;
    const bytes = await collect(await this.blob(digest, 0), limits.manifestBytesMax);
    return { digest, bytes, contentType: undefined };
  }

  async referrers(digest: Digest) {
    this.#subjects ??= this.#allRevisions().then((all) => subjectsOf(all, (each) => this.manifest(each)));
    return (await this.#subjects).get(digest) ?? [];
  }

  blobSize(digest: Digest): Promise<number | undefined> {
    return fileSize(this.#dataOf(digest));
  }

  async blob(digest: Digest, offset: number) {
    return readFrom(this.#dataOf(digest), offset);
  }

  async #allRevisions(): Promise<ReadonlySet<Digest>> {
    this.#revisions ??= this.#readRevisions();
    return this.#revisions;
  }

  async #readRevisions(): Promise<ReadonlySet<Digest>> {
    const found = new Set<Digest>();
    const folder = join(this.#manifestsFolder(), 'revisions');
    for (const algorithm of await namesIn(folder))
      for (const hex of await namesIn(join(folder, algorithm))) {
        const digest = await linkAt(join(folder, algorithm, hex, 'link'));
        if (digest !== undefined) found.add(digest);
      }
    return found;
  }

  #manifestsFolder(): string {
    return join(this.#root, 'repositories', this.name, '_manifests');
  }

  #dataOf(digest: Digest): string {
    const algorithm = digestAlgorithm(digest);
    const hex = digest.slice(algorithm.length + 1);
    return join(this.#root, 'blobs', algorithm, hex.slice(0, 2), hex, 'data');
  }
}

/** @returns undefined where there is none, or nothing that is a digest */
async function linkAt(path: string): Promise<Digest | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return isDigest(text) ? text : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new LazaretError('unavailable', `${path} can't be read`, { cause: error });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new LazaretError('unavailable', `${folder} can't be read`, { cause: error });
  }
}
