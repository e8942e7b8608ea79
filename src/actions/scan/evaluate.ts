import type { Criteria } from '../../criteria/criteria.ts';
import { compileLeaf } from '../../records/criteria/compile.ts';
import type { ExceptedHit, Hit, ImageScope, Leaf } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import type { Verdict } from '../../records/scans/evidence.ts';
import type { Universe } from './universe.ts';

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

/** @throws invalid */
export async function evaluate(
  database: Database,
  criteria: Criteria,
  { universe, scope, operatorOnly = false }: Over,
): Promise<Evaluation> {
  const explaining: Leaf[] = [];
  const doubts: Doubt[] = [];
  const severities = new Map<number, number>();
  const excepted = new Map<number, Set<number>>();
  const known = { explaining, doubts, severities, excepted };
  const context = { database, universe, scope, operatorOnly, ...known, negated: false };
  const sets = await evaluateNode(criteria, context);
  return {
    ...sets,
    universe,
    explaining,
    severities,
    excepted,
    reasonOf: (at) => inspectionReason(universe, at) ?? doubtAbout(doubts, at),
  };
}

/** Of a manifest, wherever it is: a match in one repository is a match. */
export function verdictOfManifest({ universe, matches, unknowns }: Evaluation, manifestId: number): Verdict {
  const places = [...universe.found([{ manifest_id: manifestId }])];
  if (places.some((at) => matches.has(at))) return 'match';
  return places.some((at) => unknowns.has(at)) ? 'unknown' : 'noMatch';
}

/** Why images are unknown. */
interface Doubt {
  readonly about: ReadonlySet<number>;
  readonly because: string;
}

interface NodeContext {
  readonly database: Database;
  readonly universe: Universe;
  readonly scope: ImageScope;
  readonly explaining: Leaf[];
  readonly doubts: Doubt[];
  readonly severities: Map<number, number>;
  readonly excepted: Map<number, Set<number>>;
  readonly operatorOnly: boolean;
  readonly negated: boolean;
}

async function evaluateNode(criteria: Criteria, context: NodeContext): Promise<Sets> {
  if ('all' in criteria) return allOf(await evaluateAll(criteria.all, context));
  if ('any' in criteria) return anyOf(await evaluateAll(criteria.any, context));
  if ('not' in criteria)
    return negationOf(
      await evaluateNode(criteria.not, { ...context, negated: !context.negated }),
      context.universe,
    );
  const leaf = await compileLeaf(criteria, context);
  if (!context.negated) context.explaining.push(leaf);
  return evaluateLeaf(leaf, context, 'advisory' in criteria && context.universe.withoutAdvisories);
}

async function evaluateLeaf(leaf: Leaf, context: NodeContext, withoutAdvisories: boolean): Promise<Sets> {
  const { database, universe, doubts } = context;
  const [hits, doubtful, exceptedHits] = await Promise.all([
    database.search(leaf.matches),
    Promise.all(leaf.unknowns.map(({ images }) => database.search(images))),
    leaf.excepted ? database.search(leaf.excepted) : [],
  ]);
  const matches = universe.found(hits);
  if (!context.negated) noteSeverities(context, hits);
  noteExcepted(context, exceptedHits);
  let possible: ReadonlySet<number> = leaf.needsNoInspection ? new Set() : universe.uninspected;
  const doubt = (about: ReadonlySet<number>, because: string) => {
    if (about.size > 0) doubts.push({ about, because });
    possible = possible.union(about);
  };
  for (const [at, { because }] of leaf.unknowns.entries()) doubt(universe.found(doubtful[at] ?? []), because);
  if (leaf.unanswerable !== undefined) doubt(universe.all, leaf.unanswerable);
  if (withoutAdvisories) doubt(universe.all, 'no advisories were loaded');
  return { matches, unknowns: possible.difference(matches) };
}

function noteSeverities({ universe, severities }: NodeContext, hits: readonly Hit[]): void {
  for (const hit of hits) {
    if (hit.severity === undefined) return;
    const severity = Number(hit.severity);
    for (const at of universe.found([hit])) severities.set(at, Math.max(severities.get(at) ?? 0, severity));
  }
}

function noteExcepted({ universe, excepted }: NodeContext, hits: readonly ExceptedHit[]): void {
  for (const hit of hits) {
    const places = excepted.get(Number(hit.exception)) ?? new Set();
    for (const at of universe.found([hit])) places.add(at);
    excepted.set(Number(hit.exception), places);
  }
}

function evaluateAll(criteria: readonly Criteria[], context: NodeContext): Promise<Sets[]> {
  return Promise.all(criteria.map((part) => evaluateNode(part, context)));
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
    matches: universe.all.difference(part.matches).difference(part.unknowns),
    unknowns: part.unknowns,
  };
}

function inspectionReason({ placements }: Universe, at: number): string | undefined {
  const placement = placements[at];
  if (placement?.state === 'pending') return 'its inspection has not ended';
  if (placement?.state === 'unknown') return placement.reason ?? 'its inspection ended without a result';
  return undefined;
}

function doubtAbout(doubts: readonly Doubt[], at: number): string {
  const because = doubts.filter(({ about }) => about.has(at)).map((doubt) => doubt.because);
  return [...new Set(because)].join('; ');
}
