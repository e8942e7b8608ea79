import type { Criteria } from '../../criteria/criteria.ts';
import { describeCriteria } from '../../criteria/describe.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead } from '../../records/log/log.ts';
import { runningPlaces } from '../../records/scans/coverage.ts';
import type { ScanScope } from '../../records/scans/images.ts';
import { scanKeep } from '../../records/scans/scans.ts';
import { countsOf, coverageOf, type ScanCounts, type ScanCoverage } from './coverage.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import type { KeptAnswer, KeptImage } from './kept.ts';
import { type Ordered, ordered, type ScanOrder } from './order.ts';
import { resultsOf, type ScanResult } from './results.ts';
import { universeOf } from './universe.ts';

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

export interface ScanDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export interface ScanRequest {
  readonly criteria: Criteria;
  readonly scope: ScanScope;
  readonly requestedBy: string;
  /** Default: by severity where advisories are asked for, else by name. */
  readonly order?: ScanOrder | undefined;
  readonly pageSize?: number | undefined;
}

/**
 * A search of the metadata; the layers are not read. What is kept of the answer is the list of images and what it covers;
 * the evidence of a page is read when the page is.
 * @throws invalid
 */
export async function scan(deps: ScanDeps, request: ScanRequest): Promise<ScanAnswer> {
  const { database, clock } = deps;
  const { criteria, scope, requestedBy, pageSize = limits.scanPageDefault } = request;
  const startedMs = clock.wallMs();
  const position = await logHead(database.read);
  const universe = await universeOf(database, scope);
  const evaluation = await evaluate(database, criteria, {
    universe,
    scope: scope.image ? universe.manifestIds() : undefined,
  });
  const running = await runningPlaces(database, scope.accounts);
  const listed = await listedImages(database, evaluation, request.order);
  const shown = listed.slice(0, pageSize);
  const images = await resultsOf(database, evaluation, shown);
  const facts = {
    question: describeCriteria(criteria),
    answeredAt: startedMs,
    tookMs: clock.wallMs() - startedMs,
    counts: await countsOf(database, evaluation, running),
    covers: await coverageOf(database, evaluation, running),
  };
  const answer: KeptAnswer = { ...facts, images: listed.map(keptImage) };
  const name = await database.transact((tx) =>
    scanKeep(tx, { criteria, scope, requestedBy, position, answer: JSON.stringify(answer) }),
  );
  const next = shown.length < listed.length ? String(shown.length) : null;
  return { name, position, ...facts, images, next };
}

interface Listed extends Ordered {
  readonly at: number;
  readonly kept: ScanResult['verdict'];
}

/** What matches, and then what is unknown. */
async function listedImages(
  database: Database,
  { universe, matches, unknowns, severities }: Evaluation,
  order: ScanOrder = severities.size > 0 ? 'severity' : 'name',
): Promise<readonly Listed[]> {
  const list = (places: ReadonlySet<number>, kept: Listed['kept']) => {
    const images = [...places].flatMap((at) => {
      const placement = universe.placements[at];
      return placement ? [{ ...placement, at, kept, severity: severities.get(at) ?? 0 }] : [];
    });
    return ordered(database, images, order);
  };
  return [...(await list(matches, 'match')), ...(await list(unknowns, 'unknown'))].slice(
    0,
    limits.scanImagesMax,
  );
}

function keptImage({ repositoryId, manifestId, kept, severity }: Listed): KeptImage {
  return [repositoryId ?? 0, manifestId, kept === 'match' ? 1 : 0, severity];
}
