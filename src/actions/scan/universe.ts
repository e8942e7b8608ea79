import { turnEnded } from '../../lib/shared.ts';
import type { Hit } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import {
  type Extent,
  type Placement,
  placementsInScope,
  placementsInScopeOf,
  placementsOf,
  repositoryNames,
  type ScanScope,
} from '../../records/scans/images.ts';

/**
 * The images that are asked about, each as often as a repository has it: the same manifest may match in one and not in
 * another. A place in the list stands for each, so that sets of them are sets of small numbers.
 *
 * A search over many images lists only those that it found something of, and those that are not inspected. All others are
 * alike: nothing was found in them, and they were wholly looked through. So whatever is asked, the answer is the same for
 * all of them, and one place, the `rest`, stands for them. An answer that has to name them needs the list of all.
 */
export class Universe {
  readonly placements: readonly Placement[];
  /** Those that are not, or not wholly, inspected. */
  readonly uninspected: ReadonlySet<number>;
  /** The place of all that are not listed; undefined: the list is of all. */
  readonly rest: number | undefined;
  /** How many there are, listed or not. */
  readonly size: number;
  /** Of each manifest, its last place; and of each place, the one before it of the same manifest. */
  readonly #last = new Map<number, number>();
  readonly #before: (number | undefined)[];

  /** @param size of all, where those are not all */
  constructor(placements: readonly Placement[], size?: number) {
    this.placements = placements;
    this.rest = size === undefined ? undefined : placements.length;
    this.size = Math.max(size ?? 0, placements.length);
    this.#before = placements.map(({ manifestId }, at) => {
      const before = this.#last.get(manifestId);
      this.#last.set(manifestId, at);
      return before;
    });
    const uninspected = new Set<number>();
    for (const [at, { state }] of placements.entries()) if (state !== 'done') uninspected.add(at);
    this.uninspected = uninspected;
  }

  /** With the rest. */
  all(): Set<number> {
    const all = new Set(this.placements.keys());
    return this.rest === undefined ? all : all.add(this.rest);
  }

  /** Which of them were found. */
  found(hits: readonly Hit[]): Set<number> {
    const found = new Set<number>();
    for (const hit of hits) for (const at of this.placesOf(hit)) found.add(at);
    return found;
  }

  /** In each repository that has the image, or in the one (0: in none) that the hit names. */
  placesOf({ manifest_id, repository_id }: Hit): readonly number[] {
    const places: number[] = [];
    for (let at = this.#last.get(Number(manifest_id)); at !== undefined; at = this.#before[at])
      if (isOf(this.placements[at], repository_id)) places.push(at);
    return places;
  }

  manifestIds(of: Iterable<number> = this.placements.keys()): number[] {
    const ids = new Set<number>();
    for (const at of of) {
      const placement = this.placements[at];
      if (placement) ids.add(placement.manifestId);
    }
    return [...ids];
  }
}

function isOf(placement: Placement | undefined, repositoryId: Hit['repository_id']): boolean {
  if (repositoryId === undefined || repositoryId === null) return true;
  return (placement?.repositoryId ?? 0) === Number(repositoryId);
}

export async function universeOf(database: Database, scope: ScanScope): Promise<Universe> {
  return new Universe(await placementsInScope(database, scope));
}

/** Reading these many by their keys is no slower than reading all of them. */
const listedFew = 1_000;
const listedShare = 4;

/**
 * Those of which something was found, and those that were not inspected when the search began; with a rest, unless so many
 * are listed that all may be.
 */
export async function universeFound(
  database: Database,
  { scope, extent, manifestIds }: FoundInScope,
): Promise<Universe> {
  const listedMax = Math.max(listedFew, extent.size / listedShare);
  if (manifestIds.size + extent.uninspected.length > listedMax) return universeSince(database, scope, extent);
  const listed = new Set([...manifestIds, ...extent.uninspected]);
  const placements = await placementsInScopeOf(database, scope, [...listed]);
  return new Universe(asSince(placements, extent), extent.size);
}

interface FoundInScope {
  readonly scope: ScanScope;
  readonly extent: Extent;
  readonly manifestIds: ReadonlySet<number>;
}

/** All in scope, as they were when the search began. */
export async function universeSince(database: Database, scope: ScanScope, extent: Extent): Promise<Universe> {
  const placements = await placementsInScope(database, scope);
  await turnEnded(); // they may be all that there are
  return new Universe(asSince(placements, extent));
}

/**
 * What was inspected only while the search went on may have been looked for before it was there, and is not inspected for
 * this answer; what was pushed meanwhile is not asked about.
 */
function asSince(placements: readonly Placement[], { uninspected, newest }: Extent): Placement[] {
  const early = new Set(uninspected);
  return placements
    .filter(({ manifestId }) => manifestId <= newest)
    .map((placement) => {
      const ended = placement.state === 'done' && early.has(placement.manifestId);
      return ended ? { ...placement, state: 'pending' } : placement;
    });
}

/** These images wherever they are, and also where no repository has them any more. */
export async function universeOfManifests(
  database: Database,
  manifestIds: readonly number[],
): Promise<Universe> {
  return new Universe(await placementsOf(database, manifestIds));
}

/**
 * These images as these repositories have them: what one is elsewhere, where other exceptions count, is not asked. Where none
 * of its repositories has it any more, an image is asked about wherever it is.
 */
export async function universeIn(
  database: Database,
  images: readonly { readonly manifestId: number; readonly repository: string }[],
): Promise<Universe> {
  const everywhere = await placementsOf(database, [...new Set(images.map((image) => image.manifestId))]);
  const ids = new Set(everywhere.flatMap(({ repositoryId }) => repositoryId ?? []));
  const names = await repositoryNames(database, [...ids]);
  const asked = new Set(images.map(({ manifestId, repository }) => `${manifestId} ${repository}`));
  const isAsked = ({ manifestId, repositoryId }: Placement) =>
    asked.has(`${manifestId} ${names.get(repositoryId ?? 0)}`);
  const found = new Set(everywhere.filter(isAsked).map(({ manifestId }) => manifestId));
  return new Universe(
    everywhere.filter((placement) => isAsked(placement) || !found.has(placement.manifestId)),
  );
}
