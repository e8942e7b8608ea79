import { limits } from '../../lib/limits.ts';
import { type AdvisorySource, advisorySourceList } from '../../records/advisories/sources.ts';
import type { Database } from '../../records/db/database.ts';
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
  readonly advisorySources: readonly AdvisorySource[];
  /** What layers are read with; images name those by number. */
  readonly inventories: readonly Inventory[];
  /** Containers that run: of images that are here, and of such as were never seen here. */
  readonly running: { readonly known: number; readonly neverSeen: number };
  readonly regions: readonly HeardRegion[];
  /** More images matched, or are unknown, than are listed. */
  readonly truncated: boolean;
}

export type ScanCounts = Readonly<Record<Verdict | 'tags' | 'containers' | 'regions', number>>;

export async function coverageOf(
  database: Database,
  { universe, matches, unknowns }: Evaluation,
  running: readonly RunningPlace[],
): Promise<ScanCoverage> {
  const neverSeen = running.filter(({ manifestId }) => manifestId === null).length;
  return {
    images: universe.all.size,
    uninspected: universe.uninspected.size,
    advisorySources: await advisorySourceList(database.read),
    inventories: await inventories(database),
    running: { known: running.length - neverSeen, neverSeen },
    regions: await regionsHeard(database),
    truncated: matches.size + unknowns.size > limits.scanImagesMax,
  };
}

/** Tags, containers and regions are of what matches. */
export async function countsOf(
  database: Database,
  { universe, matches, unknowns }: Evaluation,
  running: readonly RunningPlace[],
): Promise<ScanCounts> {
  const manifestIds = universe.manifestIds(matches);
  const matching = new Set(manifestIds);
  const containers = running.filter(({ manifestId }) => manifestId !== null && matching.has(manifestId));
  return {
    match: matches.size,
    unknown: unknowns.size,
    noMatch: universe.all.size - matches.size - unknowns.size,
    tags: await tagCount(database, { manifestIds, repositoryIds: repositoriesOf(universe, matches) }),
    containers: containers.length,
    regions: new Set(containers.map(({ region }) => region)).size,
  };
}

function repositoriesOf({ placements }: Universe, places: ReadonlySet<number>): number[] {
  const ids = new Set<number>();
  for (const at of places) {
    const id = placements[at]?.repositoryId;
    if (id) ids.add(id);
  }
  return [...ids];
}
