import { advisorySourceList } from '../../records/advisories/sources.ts';
import type { Hit } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import {
  type Placement,
  placementsInScope,
  placementsOf,
  repositoryNames,
  type ScanScope,
} from '../../records/scans/images.ts';

/**
 * The images that are asked about, each as often as a repository has it: the same manifest may match in one and not in
 * another. A place in the list stands for each, so that sets of them are sets of small numbers.
 */
export class Universe {
  readonly placements: readonly Placement[];
  readonly all: ReadonlySet<number>;
  /** Those that are not, or not wholly, inspected. */
  readonly uninspected: ReadonlySet<number>;
  /** No advisory was ever loaded: whoever asks for advisories gets no answer but unknown. */
  readonly withoutAdvisories: boolean;
  readonly #ofManifest: ReadonlyMap<number, readonly number[]>;

  constructor(placements: readonly Placement[], withoutAdvisories: boolean) {
    this.placements = placements;
    this.withoutAdvisories = withoutAdvisories;
    const all = new Set<number>();
    const uninspected = new Set<number>();
    const ofManifest = new Map<number, number[]>();
    for (const [at, { manifestId, state }] of placements.entries()) {
      all.add(at);
      if (state !== 'done') uninspected.add(at);
      const others = ofManifest.get(manifestId);
      if (others) others.push(at);
      else ofManifest.set(manifestId, [at]);
    }
    this.all = all;
    this.uninspected = uninspected;
    this.#ofManifest = ofManifest;
  }

  /** Which of them were found: in each repository that has the image, or in the one (0: in none) that the hit names. */
  found(hits: readonly Hit[]): ReadonlySet<number> {
    const found = new Set<number>();
    for (const { manifest_id, repository_id } of hits)
      for (const at of this.#ofManifest.get(Number(manifest_id)) ?? [])
        if (isOf(this.placements[at], repository_id)) found.add(at);
    return found;
  }

  manifestIds(of: Iterable<number> = this.all): number[] {
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
  return universeOver(database, await placementsInScope(database, scope));
}

/** These images wherever they are, and also where no repository has them any more. */
export async function universeOfManifests(
  database: Database,
  manifestIds: readonly number[],
): Promise<Universe> {
  return universeOver(database, await placementsOf(database, manifestIds));
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
  return universeOver(
    database,
    everywhere.filter((placement) => isAsked(placement) || !found.has(placement.manifestId)),
  );
}

async function universeOver(database: Database, placements: readonly Placement[]): Promise<Universe> {
  return new Universe(placements, (await advisorySourceList(database.read)).length === 0);
}
