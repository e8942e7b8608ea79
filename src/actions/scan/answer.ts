import type { ScanCounts, ScanCoverage } from './coverage.ts';
import type { ScanResult } from './results.ts';

/** An answer: which images match and why, what is above them, which nobody can tell, and what was covered. */
export interface ScanAnswer {
  /** `S-31`: it can be read again, and a plan made of it. */
  readonly name: string;
  readonly question: string;
  readonly answeredAt: number;
  readonly tookMs: number;
  readonly position: number;
  /** The first page: what matches, then what is unknown. */
  readonly images: readonly ScanResult[];
  /** Where the next page begins; null: this is all. */
  readonly next: string | null;
  readonly counts: ScanCounts;
  readonly covers: ScanCoverage;
}

/** What is kept of an answer, as JSON. */
export interface KeptAnswer
  extends Pick<ScanAnswer, 'question' | 'answeredAt' | 'tookMs' | 'counts' | 'covers'> {
  readonly images: readonly KeptImage[];
  /** Images that don't match because of exceptions: a plan of the operator asks of them without those of accounts. */
  readonly exceptedImages: readonly KeptImage[];
}

/** Keys are never used twice, so that images can be told apart for ever. */
export type KeptImage = readonly [repositoryId: number, manifestId: number, match: 0 | 1, severity: number];
