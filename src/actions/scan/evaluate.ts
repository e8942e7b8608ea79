import type { Criteria } from '../../criteria/criteria.ts';
import { limits } from '../../lib/limits.ts';
import { turnEnded } from '../../lib/shared.ts';
import type { ExceptedHit, Hit, ImageScope, Leaf } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import type { Verdict } from '../../records/scans/evidence.ts';
import { extentOf, placementCount, placementsInScopeOf, type ScanScope } from '../../records/scans/images.ts';
import {
  holdsAnywhere,
  manifestsFound,
  type Searched,
  type SearchedLeaf,
  searched,
  searchedFirst,
} from './search.ts';
import { Universe, universeFound, universeOf, universeSince } from './universe.ts';

/**
 * Criteria over images by three-valued logic (Kleene's): every image of the universe is a match, unknown, or neither.
 *
 *   all: matches where every part matches; unknown where every part matches or is unknown.
 *   any: matches where a part matches; unknown where no part matches and one is unknown.
 *   not: swaps match and neither; unknown stays unknown.
 *
 * An image whose inspection has not ended well is unknown for whatever did not match: a match found in the half that was
 * read is a match all the same.
 */
export interface Evaluation extends Sets {
  readonly universe: Universe;
  /** The kinds that can explain a match: none below a `not`. */
  readonly explaining: readonly Leaf[];
  /** Of a match by advisories: the worst, from 1 up. */
  readonly severities: ReadonlyMap<number, number>;
  /** By key, the exceptions under which a finding that is asked for does not count, and where. */
  readonly excepted: ReadonlyMap<number, ReadonlySet<number>>;
  /** Of one that is unknown: why, for people. */
  reasonOf(at: number): string;
}

/** Of places in the universe; without those in both. */
export interface Sets {
  readonly matches: ReadonlySet<number>;
  readonly unknowns: ReadonlySet<number>;
}

export interface Over {
  readonly universe: Universe;
  /** What the search is limited to, where that is less than all images. */
  readonly scope: ImageScope;
  /** Exceptions of accounts don't count: what an operator decides, none of them lifts. */
  readonly operatorOnly?: boolean;
}

/** Over images that are listed before the search. @throws invalid */
export async function evaluate(
  database: Database,
  criteria: Criteria,
  { universe, scope, operatorOnly = false }: Over,
): Promise<Evaluation> {
  return evaluated(await searched(criteria, { database, scope, operatorOnly }), universe);
}

/**
 * Over whatever is in scope: all that is listed of it is what the answer names. One image is listed first, since a search
 * over it reads less than one over all.
 * @throws invalid
 */
export async function evaluateInScope(
  database: Database,
  criteria: Criteria,
  scope: ScanScope,
): Promise<Evaluation> {
  if (scope.image) {
    const universe = await universeOf(database, scope);
    return evaluate(database, criteria, { universe, scope: universe.manifestIds() });
  }
  // Before the search: what was inspected before it was wholly searched.
  const extent = await extentOf(database, scope);
  const found = await searched(criteria, { database, scope: undefined });
  const manifestIds = manifestsFound(found);
  const listed = await universeFound(database, { scope, extent, manifestIds });
  await turnEnded(); // others have theirs between the parts of much work
  const evaluation = evaluated(found, listed);
  const { universe, matches, unknowns } = evaluation;
  if (universe.rest === undefined || !(matches.has(universe.rest) || unknowns.has(universe.rest)))
    return evaluation;
  return evaluated(found, await universeSince(database, scope, extent));
}

/** Images that match, whatever else is found: the first that the search comes to. Nothing is said of any other image. */
export interface FirstFound {
  readonly evaluation: Evaluation;
  /** How many match at least, and whether no others do. */
  counted(): Promise<{ readonly matchAtLeast: number; readonly isAll: boolean }>;
}

/**
 * @param wanted images that are to be among them, where so many are found
 * @returns undefined where more has to be known than what one part of the criteria finds
 * @throws invalid
 */
export async function evaluateFirst(
  database: Database,
  criteria: Criteria,
  { scope, wanted }: { readonly scope: ScanScope; readonly wanted: number },
): Promise<FirstFound | undefined> {
  if (scope.image) return undefined;
  const first = await searchedFirst(criteria, { database, scope: undefined }, limits.scanFirstMax);
  if (!first) return undefined;
  const { found, isAll } = first;
  const manifestIds = [...manifestsFound(found)];
  const over = async (ids: readonly number[]) =>
    evaluated(found, new Universe(await placementsInScopeOf(database, scope, ids)));
  const evaluation = await over(manifestIds.slice(0, wanted));
  const others = manifestIds.slice(wanted);
  const { size } = evaluation.matches;
  if (size < wanted || !holdsAnywhere(found)) {
    const all = others.length === 0 ? evaluation : await over(manifestIds);
    return { evaluation: all, counted: async () => ({ matchAtLeast: all.matches.size, isAll }) };
  }
  const counted = async () => {
    const more = await placementCount(database, scope, others);
    return { matchAtLeast: size + more, isAll };
  };
  return { evaluation, counted };
}

/** Of a manifest, wherever it is: a match in one repository is a match. */
export function verdictOfManifest({ universe, matches, unknowns }: Evaluation, manifestId: number): Verdict {
  const places = universe.placesOf({ manifest_id: manifestId });
  if (places.some((at) => matches.has(at))) return 'match';
  return places.some((at) => unknowns.has(at)) ? 'unknown' : 'noMatch';
}

interface NodeContext {
  readonly universe: Universe;
  readonly explaining: Leaf[];
  readonly doubts: { readonly about: ReadonlySet<number>; readonly because: string }[];
  readonly severities: Map<number, number>;
  readonly excepted: Map<number, Set<number>>;
  readonly negated: boolean;
}

function evaluated(found: Searched, universe: Universe): Evaluation {
  const known = {
    ...{ explaining: [], doubts: [] },
    ...{ severities: new Map<number, number>(), excepted: new Map<number, Set<number>>() },
  };
  const context: NodeContext = { universe, ...known, negated: false };
  const sets = setsOf(found, context);
  return {
    ...sets,
    universe,
    ...{ explaining: context.explaining, severities: context.severities, excepted: context.excepted },
    reasonOf: (at) => inspectionReason(universe, at) ?? doubtAbout(context, at),
  };
}

function setsOf(found: Searched, context: NodeContext): Sets {
  switch (found.kind) {
    case 'all':
      return allOf(found.parts.map((part) => setsOf(part, context)));
    case 'any':
      return anyOf(found.parts.map((part) => setsOf(part, context)));
    case 'not':
      return negationOf(setsOf(found.part, { ...context, negated: !context.negated }), context.universe);
    case 'leaf':
      if (!context.negated) context.explaining.push(found.leaf);
      return setsOfLeaf(found, context);
  }
}

function setsOfLeaf({ leaf, hits, doubts, excepted }: SearchedLeaf, context: NodeContext): Sets {
  const { universe } = context;
  const matches = universe.found(hits);
  if (!context.negated) noteSeverities(context, hits);
  noteExcepted(context, excepted);
  let possible: ReadonlySet<number> = leaf.needsNoInspection ? new Set() : universe.uninspected;
  for (const { of, because } of doubts) {
    const about = of === 'all' ? universe.all() : universe.found(of);
    if (about.size === 0) continue;
    context.doubts.push({ about, because });
    possible = possible.union(about);
  }
  return { matches, unknowns: possible.difference(matches) };
}

function noteSeverities({ universe, severities }: NodeContext, hits: readonly Hit[]): void {
  for (const hit of hits) {
    if (hit.severity === undefined) return;
    const severity = Number(hit.severity);
    for (const at of universe.placesOf(hit)) severities.set(at, Math.max(severities.get(at) ?? 0, severity));
  }
}

function noteExcepted({ universe, excepted }: NodeContext, hits: readonly ExceptedHit[]): void {
  for (const hit of hits) {
    const places = excepted.get(Number(hit.exception)) ?? new Set();
    for (const at of universe.placesOf(hit)) places.add(at);
    excepted.set(Number(hit.exception), places);
  }
}

function allOf(parts: readonly Sets[]): Sets {
  const matches = parts.map((part) => part.matches).reduce((a, b) => a.intersection(b));
  const possible = parts.map((part) => part.matches.union(part.unknowns)).reduce((a, b) => a.intersection(b));
  return { matches, unknowns: possible.difference(matches) };
}

function anyOf(parts: readonly Sets[]): Sets {
  const matches = parts.map((part) => part.matches).reduce((a, b) => a.union(b));
  const unknowns = parts.map((part) => part.unknowns).reduce((a, b) => a.union(b));
  return { matches, unknowns: unknowns.difference(matches) };
}

function negationOf(part: Sets, universe: Universe): Sets {
  return {
    matches: universe.all().difference(part.matches).difference(part.unknowns),
    unknowns: part.unknowns,
  };
}

function inspectionReason({ placements }: Universe, at: number): string | undefined {
  const placement = placements[at];
  if (placement?.state === 'pending') return 'its inspection has not ended';
  if (placement?.state === 'unknown') return placement.reason ?? 'its inspection ended without a result';
  return undefined;
}

function doubtAbout({ doubts }: NodeContext, at: number): string {
  const because = doubts.filter(({ about }) => about.has(at)).map((doubt) => doubt.because);
  return [...new Set(because)].join('; ');
}
