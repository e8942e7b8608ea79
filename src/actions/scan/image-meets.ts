import type { Criteria } from '../../criteria/criteria.ts';
import type { Database } from '../../records/db/database.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';
import { imageState } from '../../records/scans/images.ts';
import { evaluate } from './evaluate.ts';
import { advisoriesLoaded } from './universe.ts';

/** Does this one image meet the criteria, and why? For event criteria and rules. @throws invalid */
export async function imageMeets(
  database: Database,
  manifestId: number,
  criteria: Criteria,
): Promise<{ verdict: Verdict; evidence: readonly Evidence[] }> {
  const all = new Set([manifestId]);
  const universe = {
    all,
    uninspected: (await imageState(database.read, manifestId)) === 'done' ? new Set<number>() : all,
    withoutAdvisories: !(await advisoriesLoaded(database.read)),
  };
  const evaluation = await evaluate(database, criteria, { universe, scope: [manifestId] });
  if (evaluation.matches.has(manifestId))
    return { verdict: 'match', evidence: (await evaluation.evidence([manifestId])).get(manifestId) ?? [] };
  return { verdict: evaluation.unknowns.has(manifestId) ? 'unknown' : 'noMatch', evidence: [] };
}
