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

/** What is kept of an answer. */
export interface KeptAnswer
  extends Pick<ScanAnswer, 'question' | 'answeredAt' | 'tookMs' | 'counts' | 'covers'> {
  readonly images: readonly KeptImage[];
  /** Images that don't match because of exceptions: a plan of the operator asks of them without those of accounts. */
  readonly exceptedImages: readonly KeptImage[];
}

/** Keys are never used twice, so that images can be told apart for ever. */
export type KeptImage = readonly [repositoryId: number, manifestId: number, match: 0 | 1, severity: number];

/** As JSON: of images that differ in nothing but their manifest, what they have in common is written once. */
export function keptText({ images, exceptedImages, ...facts }: KeptAnswer): string {
  return JSON.stringify({ ...facts, runs: inRuns(images), exceptedRuns: inRuns(exceptedImages) });
}

export function keptFrom(text: string): KeptAnswer {
  const kept: Omit<KeptAnswer, 'images' | 'exceptedImages'> & Record<'runs' | 'exceptedRuns', Run[]> =
    JSON.parse(text);
  const { runs, exceptedRuns, ...facts } = kept;
  return { ...facts, images: runs.flatMap(ofRun), exceptedImages: exceptedRuns.flatMap(ofRun) };
}

type Run = [repositoryId: number, match: 0 | 1, severity: number, ...manifestIds: number[]];

function inRuns(images: readonly KeptImage[]): Run[] {
  const runs: Run[] = [];
  let last: Run | undefined;
  for (const [repositoryId, manifestId, match, severity] of images) {
    if (last && last[0] === repositoryId && last[1] === match && last[2] === severity) last.push(manifestId);
    else {
      last = [repositoryId, match, severity, manifestId];
      runs.push(last);
    }
  }
  return runs;
}

function ofRun([repositoryId, match, severity, ...manifestIds]: Run): KeptImage[] {
  return manifestIds.map((manifestId) => [repositoryId, manifestId, match, severity]);
}
