import type { CompiledQuery } from 'kysely';
import type { Database } from '../db/database.ts';

/**
 * Each kind of criteria is a file here that compiles to SQL: the images that match, those where nobody can know, and the
 * evidence. `actions/scan` combines the kinds by three-valued logic.
 */
export interface Leaf {
  readonly matches: CompiledQuery<Hit>;
  /** Of those, some or all, as they are found and maybe more than once, where `matches` gives none before it has found the last. */
  readonly asFound?: CompiledQuery<Hit>;
  /** What would match if a value nobody gave were given. */
  readonly unknowns: readonly UnknownHits[];
  /** Why nobody can say of any image that it does not match. */
  readonly unanswerable?: string;
  /** It asks nothing that an inspection finds out. */
  readonly needsNoInspection?: true;
  /** Where a finding that is asked for does not count, and which exception says so. */
  readonly excepted?: CompiledQuery<ExceptedHit>;
  /** Why these images match, at most `limit` rows. */
  evidence(manifestIds: readonly number[], limit: number): CompiledQuery<EvidenceRow>;
}

/** An image, distinct; with a repository only as that repository has it, 0 where none has it any more. */
export interface Hit {
  readonly manifest_id: number;
  readonly repository_id?: number | null;
  /** Of advisories: the worst that matches, from 1 (unknown or none) to 5 (critical). */
  readonly severity?: number;
}

export interface ExceptedHit extends Hit {
  /** Its key. */
  readonly exception: number;
}

export interface UnknownHits {
  readonly images: CompiledQuery<Hit>;
  /** A sentence for people. */
  readonly because: string;
}

export interface EvidenceRow {
  readonly manifest_id: number;
  /** Where it holds only as this repository has the image, as of a hit. */
  readonly repository_id?: number | null;
  /** null: the image's config. */
  readonly layer: string | null;
  readonly path: string | null;
  readonly purl: string | null;
  readonly advisory: string | null;
  /** The name that advisories of several sources have in common. */
  readonly flaw?: string | null;
  readonly severity: string | null;
  readonly fixed_version: string | null;
  /** Of a finding: since when it is known, milliseconds since 1970. */
  readonly since?: number | null;
  /** A kind of secrets, and where in the file it is. */
  readonly secret?: string | null;
  readonly line?: number | null;
  /** The signature of malware. */
  readonly malware?: string | null;
}

/** What a kind is compiled for. */
export interface LeafContext {
  readonly database: Database;
  readonly scope: ImageScope;
  /** Exceptions of accounts don't count. */
  readonly operatorOnly?: boolean | undefined;
}

/** Which images are asked about; undefined: all. */
export type ImageScope = readonly number[] | undefined;
