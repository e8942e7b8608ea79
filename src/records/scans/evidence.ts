/** Why an image matches: one thing in one layer. */
export interface Evidence {
  /** The digest of the layer that holds it. */
  readonly layer: string;
  readonly path: string | null;
  readonly purl: string | null;
  /** The advisory's id, as its source names it. */
  readonly advisory: string | null;
  readonly severity: string | null;
  readonly fixedVersion: string | null;
}

export type Verdict = 'match' | 'noMatch' | 'unknown';
