import type { Criteria } from '../../criteria/criteria.ts';
import type { Database } from '../../records/db/database.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';
import { evaluate, verdictOfManifest } from './evaluate.ts';
import { evidenceOf } from './explain.ts';
import { universeIn, universeOfManifests } from './universe.ts';

/**
 * Does this one image meet the criteria, and why? For event criteria and rules.
 * @param repository as it has the image; default: wherever it is
 * @throws invalid
 */
export async function imageMeets(
  database: Database,
  manifestId: number,
  criteria: Criteria,
  repository?: string,
): Promise<{ verdict: Verdict; evidence: readonly Evidence[] }> {
  const universe =
    repository === undefined
      ? await universeOfManifests(database, [manifestId])
      : await universeIn(database, [{ manifestId, repository }]);
  const evaluation = await evaluate(database, criteria, { universe, scope: [manifestId] });
  const verdict = verdictOfManifest(evaluation, manifestId);
  const [place] = evaluation.matches;
  if (place === undefined) return { verdict, evidence: [] };
  return { verdict, evidence: (await evidenceOf(database, evaluation, [place])).get(place) ?? [] };
}
