/** Why an image matches: one thing in one layer. */
export interface Evidence {
  /** The digest of the layer that holds it; null: the image's config does. */
  readonly layer: string | null;
  readonly path: string | null;
  readonly purl: string | null;
  /** The advisory's id, as its source names it. */
  readonly advisory: string | null;
  readonly severity: string | null;
  readonly fixedVersion: string | null;
  /** The kind of a secret, never its value, and its line in the file. */
  readonly secret?: string;
  readonly line?: number;
  /** The signature of malware, as the engine names it. */
  readonly malware?: string;
}

export type Verdict = 'match' | 'noMatch' | 'unknown';
