import type { Criteria } from '../../criteria/criteria.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';
import { compileLeaf, type LeafCriteria } from '../../records/criteria/compile.ts';
import { firstHits } from '../../records/criteria/first-hits.ts';
import type { ExceptedHit, Hit, Leaf, LeafContext } from '../../records/criteria/leaf.ts';

/** What was found for criteria, part by part: everything that the answer depends on, but for the images themselves. */
export type Searched =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Searched[] }
  | { readonly kind: 'not'; readonly part: Searched }
  | SearchedLeaf;

export interface SearchedLeaf {
  readonly kind: 'leaf';
  readonly leaf: Leaf;
  readonly hits: readonly Hit[];
  readonly doubts: readonly Doubt[];
  /** Where a finding that is asked for does not count. */
  readonly excepted: readonly ExceptedHit[];
}

/** Why images are unknown. */
export interface Doubt {
  readonly of: readonly Hit[] | 'all';
  /** A sentence for people. */
  readonly because: string;
}

/** @throws invalid */
export async function searched(criteria: Criteria, context: LeafContext): Promise<Searched> {
  if ('all' in criteria) return { kind: 'all', parts: await searchedEach(criteria.all, context) };
  if ('any' in criteria) return { kind: 'any', parts: await searchedEach(criteria.any, context) };
  if ('not' in criteria) return { kind: 'not', part: await searched(criteria.not, context) };
  return searchedLeaf(criteria, context);
}

/** What is found first, without what makes images unknown. */
export interface SearchedFirst {
  readonly found: Searched;
  /** Nothing else would be found. */
  readonly isAll: boolean;
}

/**
 * Of each part `limit` images, or all where there are fewer.
 * @returns undefined where more has to be known of an image, with its reasons, than what one part finds
 * @throws invalid
 */
export async function searchedFirst(
  criteria: Criteria,
  context: LeafContext,
  limit: number,
): Promise<SearchedFirst | undefined> {
  if ('all' in criteria || 'not' in criteria) return undefined;
  if ('any' in criteria) {
    const each = await Promise.all(criteria.any.map((part) => searchedFirst(part, context, limit)));
    const parts = each.filter((part) => part !== undefined);
    // All, or an image would be shown with some of its reasons.
    if (parts.length < each.length) return undefined;
    const found = { kind: 'any', parts: parts.map((part) => part.found) } as const;
    return { found, isAll: parts.every((part) => part.isAll) };
  }
  const leaf = await compileLeaf(criteria, context);
  const hits = await firstHits(context.database, leaf, limit);
  return { found: { kind: 'leaf', leaf, hits, doubts: [], excepted: [] }, isAll: hits.length < limit };
}

function searchedEach(criteria: readonly Criteria[], context: LeafContext): Promise<Searched[]> {
  return Promise.all(criteria.map((part) => searched(part, context)));
}

async function searchedLeaf(criteria: LeafCriteria, context: LeafContext): Promise<SearchedLeaf> {
  const { database } = context;
  const leaf = await compileLeaf(criteria, context);
  const [hits, doubtful, excepted, sources] = await Promise.all([
    database.search(leaf.matches),
    Promise.all(leaf.unknowns.map(({ images }) => database.search(images))),
    leaf.excepted ? database.search(leaf.excepted) : [],
    'advisory' in criteria ? advisorySourceList(database.read) : undefined,
  ]);
  const doubts: Doubt[] = leaf.unknowns.map(({ because }, at) => ({ of: doubtful[at] ?? [], because }));
  if (leaf.unanswerable !== undefined) doubts.push({ of: 'all', because: leaf.unanswerable });
  if (sources?.length === 0) doubts.push({ of: 'all', because: 'no advisories were loaded' });
  return { kind: 'leaf', leaf, hits, doubts, excepted };
}

/** Of which images anything was found. */
export function manifestsFound(of: Searched, found = new Set<number>()): ReadonlySet<number> {
  if (of.kind === 'not') return manifestsFound(of.part, found);
  if (of.kind !== 'leaf') {
    for (const part of of.parts) manifestsFound(part, found);
    return found;
  }
  const doubtful = of.doubts.map((doubt) => (doubt.of === 'all' ? [] : doubt.of));
  for (const hits of [of.hits, of.excepted, ...doubtful])
    for (const { manifest_id } of hits) found.add(Number(manifest_id));
  return found;
}

/** Whether each image that was found matches in whatever repository it is. */
export function holdsAnywhere(of: Searched): boolean {
  if (of.kind === 'not') return holdsAnywhere(of.part);
  if (of.kind !== 'leaf') return of.parts.every(holdsAnywhere);
  return of.hits.every(({ repository_id }) => repository_id === undefined || repository_id === null);
}
