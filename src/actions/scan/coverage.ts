import { limits } from '../../lib/limits.ts';
import { type FeedStatus, feedStatusList } from '../../records/advisories/status.ts';
import type { Database } from '../../records/db/database.ts';
import type { Exception } from '../../records/exceptions/exceptions.ts';
import { exceptionsByKey } from '../../records/exceptions/lists.ts';
import {
  type HeardRegion,
  type Inventory,
  inventories,
  type RunningPlace,
  regionsHeard,
  tagCount,
} from '../../records/scans/coverage.ts';
import type { Verdict } from '../../records/scans/evidence.ts';
import type { Evaluation } from './evaluate.ts';
import type { Universe } from './universe.ts';

/** What an answer rests on; whatever is missing here was not asked. */
export interface ScanCoverage {
  readonly images: number;
  readonly uninspected: number;
  readonly advisorySources: readonly CoveredSource[];
  /** What layers are read with; images name those by number. */
  readonly inventories: readonly Inventory[];
  /** Containers that run: of images that are here, and of such as were never seen here. */
  readonly running: { readonly known: number; readonly neverSeen: number };
  readonly regions: readonly HeardRegion[];
  /** What was asked for and does not count. */
  readonly excepted: ScanExceptions;
  /** More images matched, or are unknown, than are listed. */
  readonly truncated: boolean;
}

/** What advisories, or what is known of attacks, came from; also one that is to be fetched and never could be. */
export interface CoveredSource
  extends Pick<FeedStatus, 'source' | 'kind' | 'importedAt' | 'documents' | 'unreadable'> {
  /** Why the last fetch failed; null after one that did not. */
  readonly error: string | null;
}

export interface ScanExceptions {
  /** Images that don't match, and have a finding that was asked for under an exception. */
  readonly images: number;
  /** Those by which most images have such a finding, the first `limits.scanExceptionsMax`. */
  readonly by: readonly ScanException[];
}

export interface ScanException
  extends Pick<
    Exception,
    'name' | 'account' | 'advisory' | 'status' | 'justification' | 'author' | 'expiresAt'
  > {
  /** Also such as match by other findings. */
  readonly images: number;
}

export type ScanCounts = Readonly<Record<Verdict | 'tags' | 'containers' | 'regions', number>>;

export async function coverageOf(
  database: Database,
  evaluation: Evaluation,
  running: readonly RunningPlace[],
): Promise<ScanCoverage> {
  const { universe, matches, unknowns } = evaluation;
  const neverSeen = running.filter(({ manifestId }) => manifestId === null).length;
  const [advisorySources, readWith, regions, excepted] = await Promise.all([
    coveredSources(database),
    inventories(database),
    regionsHeard(database),
    exceptionsOf(database, evaluation),
  ]);
  return {
    images: universe.size,
    uninspected: universe.uninspected.size,
    advisorySources,
    inventories: readWith,
    running: { known: running.length - neverSeen, neverSeen },
    regions,
    excepted,
    truncated: matches.size + unknowns.size > limits.scanImagesMax,
  };
}

async function coveredSources({ read }: Database): Promise<readonly CoveredSource[]> {
  const sources = await feedStatusList(read);
  return sources.map(({ source, kind, importedAt, documents, unreadable, feed }) => ({
    ...{ source, kind, importedAt, documents, unreadable },
    error: feed?.error ?? null,
  }));
}

/** Containers and regions are of what matches; tags too, but of the first `limits.scanTagsMax` images, if there are more. */
export async function countsOf(
  database: Database,
  { universe, matches, unknowns }: Evaluation,
  running: readonly RunningPlace[],
): Promise<ScanCounts> {
  const containers = running.filter(({ manifestId }) => {
    const places = manifestId === null ? [] : universe.placesOf({ manifest_id: manifestId });
    return places.some((at) => matches.has(at));
  });
  const first = [...matches.keys().take(limits.scanTagsMax)];
  const tagged = { manifestIds: universe.manifestIds(first), repositoryIds: repositoriesOf(universe, first) };
  return {
    match: matches.size,
    unknown: unknowns.size,
    noMatch: Math.max(0, universe.size - matches.size - unknowns.size),
    tags: await tagCount(database, tagged),
    containers: containers.length,
    regions: new Set(containers.map(({ region }) => region)).size,
  };
}

/** Images that don't match, and have a finding that was asked for under an exception. */
export function exceptedPlaces({ matches, excepted }: Evaluation): ReadonlySet<number> {
  let places: ReadonlySet<number> = new Set();
  for (const some of excepted.values()) places = places.union(some);
  return places.difference(matches);
}

async function exceptionsOf(database: Database, evaluation: Evaluation): Promise<ScanExceptions> {
  const counted = [...evaluation.excepted].filter(([, places]) => places.size > 0);
  const most = counted.toSorted((a, b) => b[1].size - a[1].size || a[0] - b[0]);
  const shown = new Map(most.slice(0, limits.scanExceptionsMax));
  const exceptions = await exceptionsByKey(database.read, [...shown.keys()]);
  const by = [...shown].flatMap(([number, places]) => {
    const exception = exceptions.get(number);
    return exception ? [{ ...exception, images: places.size }] : [];
  });
  return {
    images: exceptedPlaces(evaluation).size,
    by: by.map(({ name, account, advisory, status, justification, author, expiresAt, images }) => ({
      ...{ name, account, advisory, status, justification, author, expiresAt, images },
    })),
  };
}

function repositoriesOf({ placements }: Universe, places: readonly number[]): number[] {
  const ids = new Set<number>();
  for (const at of places) {
    const id = placements[at]?.repositoryId;
    if (id) ids.add(id);
  }
  return [...ids];
}
