import type { Criteria } from '../../criteria/criteria.ts';
import { describeCriteria } from '../../criteria/describe.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { turnEnded } from '../../lib/shared.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead } from '../../records/log/log.ts';
import { runningPlaces } from '../../records/scans/coverage.ts';
import type { ScanScope } from '../../records/scans/images.ts';
import { scanKeep } from '../../records/scans/scans.ts';
import { type KeptImage, keptText, type ScanAnswer } from './answer.ts';
import { countsOf, coverageOf, exceptedPlaces } from './coverage.ts';
import { type Evaluation, evaluateInScope } from './evaluate.ts';
import { type Ordered, ordered, type ScanOrder } from './order.ts';
import { resultsOf, type ScanResult } from './results.ts';

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
  const { evaluation, listed, keep } = await searchedWhole(deps, request);
  const shown = listed.slice(0, request.pageSize ?? limits.scanPageDefault);
  const [images, answer] = await Promise.all([resultsOf(deps.database, evaluation, shown), keep()]);
  return { ...answer, images, next: shown.length < listed.length ? String(shown.length) : null };
}

/** All that there is to say of an answer but the images' evidence. */
interface Whole {
  readonly evaluation: Evaluation;
  readonly listed: readonly Listed[];
  /** Keeps it, and says what holds of all its images. */
  keep(): Promise<Omit<ScanAnswer, 'images' | 'next'>>;
}

/** @throws invalid */
export async function searchedWhole(deps: ScanDeps, request: ScanRequest): Promise<Whole> {
  const { database, clock } = deps;
  const { criteria, scope, requestedBy } = request;
  const startedMs = clock.wallMs();
  const position = await logHead(database.read);
  const [running, evaluation] = await Promise.all([
    runningPlaces(database, scope.accounts),
    evaluateInScope(database, criteria, scope),
  ]);
  await turnEnded();
  const listed = await listedImages(database, evaluation, request.order);
  return { evaluation, listed, keep };

  async function keep() {
    const [counts, covers] = await Promise.all([
      countsOf(database, evaluation, running),
      coverageOf(database, evaluation, running),
    ]);
    await turnEnded();
    const tookMs = clock.wallMs() - startedMs;
    const facts = { question: describeCriteria(criteria), answeredAt: startedMs, tookMs, counts, covers };
    const answer = keptText({
      ...facts,
      images: listed.map(keptImage),
      exceptedImages: exceptedImages(evaluation),
    });
    const name = await database.transact(
      (tx) => scanKeep(tx, { criteria, scope, requestedBy, position, answer }),
      { seenEarly: true },
    );
    return { name, position, ...facts };
  }
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
    const images: Listed[] = [];
    for (const at of places) {
      const placement = universe.placements[at];
      if (!placement) continue;
      const { manifestId, repositoryId } = placement;
      images.push({ at, kept, manifestId, repositoryId, severity: severities.get(at) ?? 0 });
    }
    return ordered(database, images, order);
  };
  return [...(await list(matches, 'match')), ...(await list(unknowns, 'unknown'))].slice(
    0,
    limits.scanImagesMax,
  );
}

function exceptedImages(evaluation: Evaluation): readonly KeptImage[] {
  return [...exceptedPlaces(evaluation)].slice(0, limits.scanImagesMax).flatMap((at): KeptImage[] => {
    const placement = evaluation.universe.placements[at];
    return placement ? [[placement.repositoryId ?? 0, placement.manifestId, 0, 0]] : [];
  });
}

function keptImage({ repositoryId, manifestId, kept, severity }: Listed): KeptImage {
  return [repositoryId ?? 0, manifestId, kept === 'match' ? 1 : 0, severity];
}
