import type { Digest } from '../../oci/digest.ts';
import type { RepositoryTally, Why } from './import-report.ts';
import type { SourceRepository } from './import-source.ts';

/** What is to be brought, found by looking at both sides before anything is copied. A dry run ends with it. */
export interface ImportPlan {
  readonly repositories: readonly RepositoryPlan[];
  /** Of all blobs to be copied, each digest once. */
  readonly sizeBytes: number;
  readonly blobs: number;
}

export interface RepositoryPlan {
  readonly source: SourceRepository;
  /** At the destination. */
  readonly name: string;
  readonly tally: RepositoryTally;
  readonly manifests: ReadonlyMap<Digest, PlannedManifest>;
  readonly blobs: ReadonlyMap<Digest, PlannedBlob>;
}

export interface PlannedManifest {
  readonly digest: Digest;
  readonly kind: 'manifest' | 'referrer';
  readonly mediaType: string;
  /** Kept while there is room; else read again. */
  readonly bytes: Uint8Array | undefined;
  readonly there: boolean;
  /** Why the destination does not take it. */
  readonly refused: string | undefined;
  readonly blobs: readonly Digest[];
  /** Of an index: those that the source has. */
  readonly children: readonly Digest[];
  /** That do not point to it at the destination yet. */
  readonly tags: string[];
}

export interface PlannedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly state: 'there' | 'toCopy' | 'foreign' | 'lacking';
  /** Of what is lacking. */
  readonly why: Why | undefined;
}
