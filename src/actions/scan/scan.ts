import type { Criteria } from '../../criteria/criteria.ts';
import { describeCriteria } from '../../criteria/describe.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { type AdvisorySource, advisorySourceList } from '../../records/advisories/sources.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead } from '../../records/log/log.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';
import { type Above, aboveImages, type ScannedImage, type ScanScope } from '../../records/scans/images.ts';
import { scanKeep } from '../../records/scans/scans.ts';
import { evaluate } from './evaluate.ts';
import { universeOf } from './universe.ts';

/** An answer: which images match and why, what is above them, which nobody can tell, and what was covered. */
export interface ScanAnswer {
  /** `S-31`: it can be read again, and a plan made of it. */
  readonly name: string;
  readonly question: string;
  readonly tookMs: number;
  readonly position: number;
  readonly images: readonly ScanResult[];
  readonly counts: Readonly<Record<Verdict | 'tags' | 'containers' | 'regions', number>>;
  readonly covers: ScanCoverage;
}

export interface ScanResult {
  readonly repository: string;
  readonly digest: string;
  readonly platform: string | null;
  readonly verdict: 'match' | 'unknown';
  /** Of unknown: why. */
  readonly reason: string | null;
  readonly evidence: readonly Evidence[];
  readonly above: Above;
}

export interface ScanCoverage {
  readonly images: number;
  readonly uninspected: number;
  readonly advisorySources: readonly AdvisorySource[];
  /** More images matched than are listed. */
  readonly truncated: boolean;
}

export interface ScanDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export interface ScanRequest {
  readonly criteria: Criteria;
  readonly scope: ScanScope;
  readonly requestedBy: string;
}

/** A search of the metadata; the layers are not read. @throws invalid */
export async function scan(deps: ScanDeps, request: ScanRequest): Promise<ScanAnswer> {
  const { database, clock } = deps;
  const startedMs = clock.wallMs();
  const position = await logHead(database.read);
  const { images, universe } = await universeOf(database, request.scope);
  const scope = request.scope.image ? [...universe.all] : undefined;
  const evaluation = await evaluate(database, request.criteria, { universe, scope });
  const listed = images
    .filter((image) => evaluation.matches.has(image.manifestId) || evaluation.unknowns.has(image.manifestId))
    .slice(0, limits.scanMatchesMax);
  const results = await resultsOf(database, listed, evaluation);
  const answer = {
    question: describeCriteria(request.criteria),
    tookMs: clock.wallMs() - startedMs,
    position,
    images: results,
    counts: countsOf(images, results, evaluation),
    covers: {
      images: images.length,
      uninspected: universe.uninspected.size,
      advisorySources: await advisorySourceList(database.read),
      truncated: evaluation.matches.size + evaluation.unknowns.size > listed.length,
    },
  };
  const { criteria, scope: asked, requestedBy } = request;
  const name = await database.transact((tx) =>
    scanKeep(tx, { criteria, scope: asked, requestedBy, position, answer: JSON.stringify(answer) }),
  );
  return { name, ...answer };
}

type Evaluated = Awaited<ReturnType<typeof evaluate>>;

async function resultsOf(
  database: Database,
  listed: readonly ScannedImage[],
  evaluation: Evaluated,
): Promise<ScanResult[]> {
  const ids = [...new Set(listed.map((image) => image.manifestId))];
  const evidence = await evaluation.evidence(ids.filter((id) => evaluation.matches.has(id)));
  const above = await aboveImages(database, ids);
  return listed.map((image) => {
    const isMatch = evaluation.matches.has(image.manifestId);
    const everywhere = above.get(image.manifestId) ?? { tags: [], indexes: [], containers: [] };
    return {
      repository: image.repository,
      digest: image.digest,
      platform: image.platform,
      verdict: isMatch ? 'match' : 'unknown',
      reason: isMatch ? null : reasonOf(image),
      evidence: evidence.get(image.manifestId) ?? [],
      above: { ...everywhere, tags: everywhere.tags.filter((tag) => tag.repository === image.repository) },
    };
  });
}

function reasonOf(image: ScannedImage): string {
  switch (image.state) {
    case 'pending':
      return 'its inspection has not ended';
    case 'unknown':
      return image.reason ?? 'its inspection ended without a result';
    case 'done':
      return 'a value that the question needs was never given or cannot be compared, or no advisories were loaded';
  }
}

function countsOf(
  images: readonly ScannedImage[],
  results: readonly ScanResult[],
  evaluation: Evaluated,
): ScanAnswer['counts'] {
  const matching = results.filter((result) => result.verdict === 'match');
  const containers = matching.flatMap((result) => result.above.containers);
  const of = (ids: ReadonlySet<number>) => images.filter((image) => ids.has(image.manifestId)).length;
  return {
    match: of(evaluation.matches),
    unknown: of(evaluation.unknowns),
    noMatch: images.length - of(evaluation.matches) - of(evaluation.unknowns),
    tags: matching.flatMap((result) => result.above.tags).length,
    containers: new Set(containers.map((container) => container.uid)).size,
    regions: new Set(containers.map((container) => container.region)).size,
  };
}
