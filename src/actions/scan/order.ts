import type { Database } from '../../records/db/database.ts';
import { type Placement, repositoryNames } from '../../records/scans/images.ts';

/**
 * How images are listed. `severity`: the worst that matched first; `pushed`, `pulled`: the latest first, what never was
 * last. Equal ones, and by `name` all, are in the order of repositories' names, and then as they were pushed.
 */
export const scanOrders = ['severity', 'name', 'pushed', 'pulled'] as const;
export type ScanOrder = (typeof scanOrders)[number];

export interface Ordered extends Pick<Placement, 'manifestId' | 'repositoryId' | 'pushedAt' | 'pulledAt'> {
  /** Higher is worse; 0: none was asked for. */
  readonly severity: number;
}

export async function ordered<T extends Ordered>(
  database: Database,
  images: readonly T[],
  order: ScanOrder,
): Promise<readonly T[]> {
  const ids = new Set(images.map(({ repositoryId }) => repositoryId ?? 0));
  const names = [...(await repositoryNames(database, [...ids]))].toSorted((a, b) => compareText(a[1], b[1]));
  const places = new Map(names.map(([id], place) => [id, place]));
  const place = ({ repositoryId }: Ordered) => places.get(repositoryId ?? 0) ?? 0;
  const first = keyOf(order);
  return images.toSorted((a, b) => first(b) - first(a) || place(a) - place(b) || a.manifestId - b.manifestId);
}

function keyOf(order: ScanOrder): (image: Ordered) => number {
  switch (order) {
    case 'severity':
      return ({ severity }) => severity;
    case 'pushed':
      return ({ pushedAt }) => pushedAt ?? 0;
    case 'pulled':
      return ({ pulledAt }) => pulledAt ?? 0;
    case 'name':
      return () => 0;
  }
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
