import type { CompiledQuery } from 'kysely';

/**
 * Each kind of criteria is a file here that compiles to SQL: the images that match, those where nobody can know, and the
 * evidence. `actions/scan` combines the kinds by three-valued logic.
 */
export interface Leaf {
  /** Rows `{manifest_id}`, distinct. */
  readonly matches: CompiledQuery<{ manifest_id: number }>;
  /** Rows `{manifest_id}`: what would match if a value nobody gave were given. */
  readonly unknowns?: CompiledQuery<{ manifest_id: number }>;
  /** Why these images match, at most `limit` rows. */
  evidence(manifestIds: readonly number[], limit: number): CompiledQuery<EvidenceRow>;
}

export interface EvidenceRow {
  readonly manifest_id: number;
  /** null: the image's config. */
  readonly layer: string | null;
  readonly path: string | null;
  readonly purl: string | null;
  readonly advisory: string | null;
  readonly severity: string | null;
  readonly fixed_version: string | null;
  /** A kind of secrets, and where in the file it is. */
  readonly secret?: string | null;
  readonly line?: number | null;
}

/** Which images are asked about; undefined: all. */
export type ImageScope = readonly number[] | undefined;
