import type { Database } from '../../records/db/database.ts';
import { type Placement, placementDates, repositoryNames } from '../../records/scans/images.ts';

/**
 * How images are listed. `severity`: the worst that matched first; `pushed`, `pulled`: the latest first, what never was
 * last. Equal ones, and by `name` all, are in the order of repositories' names, and then as they were pushed.
 */
export const scanOrders = ['severity', 'name', 'pushed', 'pulled'] as const;
export type ScanOrder = (typeof scanOrders)[number];

export interface Ordered extends Pick<Placement, 'manifestId' | 'repositoryId'> {
  /** Higher is worse; 0: none was asked for. */
  readonly severity: number;
}

export async function ordered<T extends Ordered>(
  database: Database,
  images: readonly T[],
  order: ScanOrder,
): Promise<readonly T[]> {
  const byRepository = Map.groupBy(images, ({ repositoryId }) => repositoryId ?? 0);
  const names = await repositoryNames(database, [...byRepository.keys()]);
  const inOrder = [...byRepository].toSorted(([a], [b]) =>
    compareText(names.get(a) ?? '', names.get(b) ?? ''),
  );
  // In parts, which are few and mostly as they should be: to sort all at once takes several times as long.
  const named = inOrder.flatMap(([, some]) => some.toSorted((a, b) => a.manifestId - b.manifestId));
  if (order === 'name') return named;
  if (order === 'severity') return named.toSorted((a, b) => b.severity - a.severity);
  const dates = await placementDates(database, named);
  const dated = named.map((image, at) => ({
    image,
    at: (order === 'pushed' ? dates[at]?.pushedAt : dates[at]?.pulledAt) ?? 0,
  }));
  return dated.toSorted((a, b) => b.at - a.at).map(({ image }) => image);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
