import type { Criteria } from '../../criteria/criteria.ts';
import { limits } from '../../lib/limits.ts';
import { compileLeaf } from '../../records/criteria/compile.ts';
import type { ImageScope, Leaf } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import type { Evidence } from '../../records/scans/evidence.ts';

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
export interface Universe {
  /** The images asked about. */
  readonly all: ReadonlySet<number>;
  /** Those of them that are not, or not wholly, inspected. */
  readonly uninspected: ReadonlySet<number>;
  /** No advisory was ever loaded: whoever asks for advisories gets no answer but unknown. */
  readonly withoutAdvisories: boolean;
}

export interface Evaluation {
  readonly matches: ReadonlySet<number>;
  readonly unknowns: ReadonlySet<number>;
  /** Why the given images match, at most `limits.scanMatchesMax` in all. */
  evidence(manifestIds: readonly number[]): Promise<Map<number, Evidence[]>>;
}

/** @throws invalid */
export async function evaluate(
  database: Database,
  criteria: Criteria,
  context: { universe: Universe; scope: ImageScope },
): Promise<Evaluation> {
  const parts: Part[] = [];
  const answer = await evaluateNode(criteria, { ...context, database, parts, negated: false });
  return {
    ...answer,
    evidence: (manifestIds) => gatherEvidence(database, parts, manifestIds),
  };
}

interface Sets {
  readonly matches: ReadonlySet<number>;
  readonly unknowns: ReadonlySet<number>;
}

/** A leaf that can explain a match: not one below a `not`. */
interface Part {
  readonly leaf: Leaf;
}

interface NodeContext {
  readonly database: Database;
  readonly universe: Universe;
  readonly scope: ImageScope;
  readonly parts: Part[];
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

  const { database, universe, scope } = context;
  const leaf = await compileLeaf(database, criteria, scope);
  if (!context.negated) context.parts.push({ leaf });
  const matches = intersection(ids(await database.search(leaf.matches)), universe.all);
  const possible = leaf.unknowns ? ids(await database.search(leaf.unknowns)) : new Set<number>();
  const unanswerable =
    'advisory' in criteria && universe.withoutAdvisories ? universe.all : universe.uninspected;
  const unknowns = difference(union(intersection(possible, universe.all), unanswerable), matches);
  return { matches, unknowns };
}

function evaluateAll(criteria: readonly Criteria[], context: NodeContext): Promise<Sets[]> {
  return Promise.all(criteria.map((part) => evaluateNode(part, context)));
}

function allOf(parts: readonly Sets[]): Sets {
  const matches = parts.map((part) => part.matches).reduce(intersection);
  const possible = parts.map((part) => union(part.matches, part.unknowns)).reduce(intersection);
  return { matches, unknowns: difference(possible, matches) };
}

function anyOf(parts: readonly Sets[]): Sets {
  const matches = parts.map((part) => part.matches).reduce(union);
  const unknowns = parts.map((part) => part.unknowns).reduce(union);
  return { matches, unknowns: difference(unknowns, matches) };
}

function negationOf(part: Sets, universe: Universe): Sets {
  return {
    matches: difference(difference(universe.all, part.matches), part.unknowns),
    unknowns: part.unknowns,
  };
}

async function gatherEvidence(database: Database, parts: readonly Part[], manifestIds: readonly number[]) {
  const found = new Map<number, Evidence[]>();
  if (manifestIds.length === 0) return found;
  for (const { leaf } of parts) {
    for (const row of await database.search(leaf.evidence(manifestIds, limits.scanMatchesMax))) {
      const { manifest_id, fixed_version, secret, line, ...rest } = row;
      const evidence = {
        ...rest,
        fixedVersion: fixed_version,
        ...(secret ? { secret } : {}),
        ...(line ? { line: Number(line) } : {}),
      };
      const list = found.get(Number(manifest_id));
      if (list) list.push(evidence);
      else found.set(Number(manifest_id), [evidence]);
    }
  }
  return found;
}

function ids(rows: readonly { manifest_id: number }[]): Set<number> {
  return new Set(rows.map((row) => Number(row.manifest_id)));
}

function intersection(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return a.intersection(b);
}

function union(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return a.union(b);
}

function difference(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return a.difference(b);
}
