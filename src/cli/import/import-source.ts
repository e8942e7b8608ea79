import type { ByteSource } from '../../lib/streams.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';

/**
 * Where images come from. A driver reads, changes nothing, and gives bytes as they are: digests are kept. What a source
 * lacks or has in disorder is told (`problems`, `undefined`), never a reason to stop; errors are for a source that can't
 * be read at all.
 */
export interface ImportSource {
  /** For people: `OCI layout ./shop`. */
  readonly label: string;
  /** What people should know of it, as a sentence. */
  readonly remark?: string;
  /** @throws invalid, unavailable, unauthorized */
  repositories(): Promise<readonly SourceRepository[]>;
  /** Removes what the driver has put aside, ends its connections. */
  close(): Promise<void>;
}

export interface SourceRepository {
  /** As the source calls it, without a registry's host; undefined where it does not name it. */
  readonly name: string | undefined;
  list(): Promise<SourceListing>;
  /** @param reference a tag that `list` gave, or a digest. @returns undefined when the source does not have it */
  manifest(reference: string): Promise<SourceManifest | undefined>;
  /** What names it as its subject. */
  referrers(digest: Digest): Promise<readonly Referrer[]>;
  /** @returns its size in bytes; undefined when the source does not have it */
  blobSize(digest: Digest): Promise<number | undefined>;
  /** Its bytes from `offset` on. @throws blobUnknown; unavailable, after which it may be asked for again */
  blob(digest: Digest, offset: number): Promise<ByteSource>;
}

export type Referrer = Pick<Descriptor, 'digest'>;

export interface SourceListing {
  readonly tags: readonly string[];
  /** Manifests that have no tag, where the source can list them: also referrers and children. */
  readonly untagged: readonly Digest[];
  readonly problems: readonly SourceProblem[];
}

export interface SourceManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** What the source says its type is; may be missing or wrong. */
  readonly contentType: string | undefined;
}

/** Something that a source names and can't give. */
export interface SourceProblem {
  /** `tag 1.2`, `manifest sha256:…`. */
  readonly what: string;
  /** Continues the sentence: `points to a manifest that was deleted`. */
  readonly problem: string;
}
