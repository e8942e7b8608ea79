import {
  blobFetch,
  blobStat,
  manifestFetch,
  referrersFetch,
  repositoryNames,
  tagNames,
} from '../../client/distribution-pull.ts';
import type { RegistrySession } from '../../client/registry-session.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImportSource, SourceListing, SourceManifest, SourceRepository } from './import-source.ts';

/** What of a registry: all that its catalog shows, one repository, or one image of it. */
export interface RegistrySelection {
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

export interface RegistrySourceParts {
  readonly session: RegistrySession;
  readonly selection: RegistrySelection;
  readonly signal: AbortSignal;
}

/** Any registry that speaks the distribution API. Untagged manifests can't be listed there, except those that refer to others. */
export function registrySource({ session, selection, signal }: RegistrySourceParts): ImportSource {
  const { repository } = selection;
  const of = (name: string) => new RemoteRepository({ session, signal, name, selection });
  return {
    label: `registry ${session.url}${repository === undefined ? '' : ` ${repository}`}`,
    repositories: async () => {
      if (repository !== undefined) return [of(repository)];
      const names = await Array.fromAsync(repositoryNames(session, signal));
      return names.map(of);
    },
    close: async () => undefined,
  };
}

class RemoteRepository implements SourceRepository {
  readonly name: string;
  readonly #session: RegistrySession;
  readonly #selection: RegistrySelection;
  readonly #asked: { readonly repository: string; readonly signal: AbortSignal };

  constructor(parts: RegistrySourceParts & { readonly name: string }) {
    this.name = parts.name;
    this.#session = parts.session;
    this.#selection = parts.selection;
    this.#asked = { repository: parts.name, signal: parts.signal };
  }

  async list(): Promise<SourceListing> {
    const { repository, tag, digest } = this.#selection;
    if (tag !== undefined) return { tags: [tag], untagged: [], problems: [] };
    if (digest !== undefined) return { tags: [], untagged: [digest], problems: [] };
    const tags = await Array.fromAsync(tagNames(this.#session, this.#asked));
    if (tags.length === 0 && repository !== undefined)
      throw new LazaretError(
        'nameUnknown',
        `${this.#session.url} has no tags in ${repository}, or no such repository`,
      );
    return { tags, untagged: [], problems: [] };
  }

  async manifest(reference: string): Promise<SourceManifest | undefined> {
    return manifestFetch(this.#session, { ...this.#asked, reference });
  }

  async referrers(digest: Digest) {
    return referrersFetch(this.#session, { ...this.#asked, digest });
  }

  blobSize(digest: Digest): Promise<number | undefined> {
    return blobStat(this.#session, { ...this.#asked, digest });
  }

  async blob(digest: Digest, offset: number) {
    const found = await blobFetch(this.#session, { ...this.#asked, digest, offset });
    if (found !== undefined) return found;
    throw new LazaretError('blobUnknown', `${this.#session.url} has no ${digest} in ${this.name}`);
  }
}
