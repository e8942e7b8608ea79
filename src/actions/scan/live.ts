import { limits } from '../../lib/limits.ts';
import type { ScanAnswer } from './answer.ts';
import { type Evaluation, evaluateFirst } from './evaluate.ts';
import { keyOf, stepImages } from './kept.ts';
import { resultsOf, type ScanResult } from './results.ts';
import { type ScanDeps, type ScanRequest, searchedWhole } from './scan.ts';

/**
 * What an answer says while it is found: images that match, how many there are at least (once, early), the other images, and last
 * what holds of all of them.
 */
export type ScanLine =
  | { readonly image: ScanResult }
  /** `isAll`: no others match. */
  | { readonly matchAtLeast: number; readonly isAll: boolean }
  | { readonly answer: Omit<ScanAnswer, 'images' | 'next'> };

/** As `scan`, with every image. The first come as they are found, the others in the order that was asked for. @throws invalid */
export async function* scanLive(deps: ScanDeps, request: ScanRequest): AsyncGenerator<ScanLine> {
  const { database } = deps;
  const { criteria, scope, pageSize = limits.scanPageDefault } = request;
  const shown = new Set<string | undefined>();
  const first = await evaluateFirst(database, criteria, { scope, wanted: pageSize });
  if (first) {
    const { evaluation } = first;
    const listed = [...evaluation.matches].slice(0, pageSize);
    const counted = unobserved(first.counted());
    for (const image of await resultsOf(database, evaluation, listed.map(asMatch))) yield { image };
    for (const at of listed) shown.add(keyAt(evaluation, at));
    yield await counted;
  }
  const { evaluation, listed, keep } = await searchedWhole(deps, request);
  const kept = unobserved(keep());
  const others = listed.filter(({ at }) => !shown.has(keyAt(evaluation, at)));
  for (let at = 0; at < others.length; at += stepImages)
    for (const image of await resultsOf(database, evaluation, others.slice(at, at + stepImages)))
      yield { image };
  yield { answer: await kept };
}

/** To be awaited later: until then its failure must not end the process. */
function unobserved<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function asMatch(at: number) {
  return { at, kept: 'match' } as const;
}

function keyAt({ universe }: Evaluation, at: number): string | undefined {
  const placement = universe.placements[at];
  return placement && keyOf(placement.repositoryId, placement);
}
