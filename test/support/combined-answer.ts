import type { Criteria } from '../../src/criteria/criteria.ts';
import type { LeafCriteria } from '../../src/records/criteria/compile.ts';

export type Answer = 'match' | 'unknown' | 'noMatch';

/** What `all`, `any` and `not` come to in three values, read off the words: for comparing with the search. */
export function combinedAnswer(asked: Criteria, of: (leaf: LeafCriteria) => Answer): Answer {
  const each = (parts: readonly Criteria[]) => parts.map((part) => combinedAnswer(part, of));
  if ('all' in asked) return firstOf(['noMatch', 'unknown', 'match'], each(asked.all));
  if ('any' in asked) return firstOf(['match', 'unknown', 'noMatch'], each(asked.any));
  if (!('not' in asked)) return of(asked);
  const answer = combinedAnswer(asked.not, of);
  if (answer === 'unknown') return 'unknown';
  return answer === 'match' ? 'noMatch' : 'match';
}

function firstOf(order: readonly Answer[], answers: readonly Answer[]): Answer {
  return order.find((one) => answers.includes(one)) ?? 'noMatch';
}
