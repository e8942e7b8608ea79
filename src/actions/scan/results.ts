import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { type Above, aboveImages } from '../../records/scans/above.ts';
import { inventoriesOf } from '../../records/scans/coverage.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';
import { placedImages } from '../../records/scans/images.ts';
import type { Evaluation } from './evaluate.ts';
import { evidenceOf } from './explain.ts';

/** An image that an answer lists: why, and what is above it. */
export interface ScanResult {
  readonly repository: string;
  readonly digest: string;
  readonly platform: string | null;
  /** As it was when the scan was answered. */
  readonly verdict: 'match' | 'unknown';
  /** As it is when the page is read. */
  readonly verdictNow: Verdict;
  /** Of what is unknown now: why. */
  readonly reason: string | null;
  /** Of what matches now: the first reasons, and how many there are. */
  readonly evidence: readonly Evidence[];
  readonly evidenceCount: number;
  readonly above: Above;
  readonly pushedAt: number | null;
  readonly pulledAt: number | null;
  /** What its layers were read with: numbers of `covers.inventories`. */
  readonly readWith: readonly number[];
}

/** Of these places of the evaluation; `kept` is what the answer said of each. */
export async function resultsOf(
  database: Database,
  evaluation: Evaluation,
  listed: readonly { readonly at: number; readonly kept: ScanResult['verdict'] }[],
): Promise<ScanResult[]> {
  const { universe, matches } = evaluation;
  const placed = listed.flatMap(({ at, kept }) => {
    const placement = universe.placements[at];
    return placement ? [{ at, kept, placement }] : [];
  });
  const ids = [...new Set(placed.map(({ placement }) => placement.manifestId))];
  const matching = placed.filter(({ at }) => matches.has(at)).map(({ at }) => at);
  const placements = placed.map(({ placement }) => placement);
  const [images, evidence, above, readWith] = await Promise.all([
    placedImages(database, placements),
    evidenceOf(database, evaluation, matching),
    aboveImages(database, ids),
    inventoriesOf(database, placements),
  ]);
  return placed.flatMap(({ at, kept, placement }, index) => {
    const image = images[index];
    if (!image) return [];
    const reasons = evidence.get(at) ?? [];
    return {
      ...image,
      verdict: kept,
      ...verdictNow(evaluation, at),
      evidence: reasons.slice(0, limits.scanEvidenceMax),
      evidenceCount: reasons.length,
      above: aboveIn(above.get(placement.manifestId), image.repository),
      readWith: readWith.get(placement.manifestId) ?? [],
    };
  });
}

function verdictNow(evaluation: Evaluation, at: number): Pick<ScanResult, 'verdictNow' | 'reason'> {
  if (evaluation.matches.has(at)) return { verdictNow: 'match', reason: null };
  if (!evaluation.unknowns.has(at)) return { verdictNow: 'noMatch', reason: null };
  return { verdictNow: 'unknown', reason: evaluation.reasonOf(at) };
}

function aboveIn(everywhere: Above | undefined, repository: string): Above {
  if (!everywhere) return { tags: [], indexes: [], containers: [] };
  return { ...everywhere, tags: everywhere.tags.filter((tag) => tag.repository === repository) };
}
