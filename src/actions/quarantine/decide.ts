import { parseCriteria } from '../../criteria/parse.ts';
import type { Database } from '../../records/db/database.ts';
import { exemptionsOf } from '../../records/marks/exemptions.ts';
import type { RadiusImage } from '../../records/marks/plans.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';
import type { ReachedImage } from '../../records/marks/reach.ts';
import { imageStates } from '../../records/scans/images.ts';
import { evaluate, verdictOfManifest } from '../scan/evaluate.ts';
import { universeIn } from '../scan/universe.ts';

/** What reach `image` makes of images on a marked layer, by manifest id. */
export type Decide = (
  images: readonly ReachedImage[],
) => Promise<ReadonlyMap<number, RadiusImage['reachImage']>>;

/**
 * By the question itself, asked of each image as a whole: one that does not match hides what its layer holds. One whose
 * inspection has not ended is undecided; one that nobody can tell of is decided by `unknown`. Of what the operator
 * quarantines, no account's exception spares an image.
 */
export function decideByCriteria(database: Database, { criteria, unknown, account }: DecisionAsk): Decide {
  return async (images) => {
    const ids = [...new Set(images.map((image) => image.manifestId))];
    if (criteria === null || ids.length === 0) return new Map(ids.map((id) => [id, 'refused' as const]));
    const states = await imageStates(database, ids);
    const universe = await universeIn(database, images);
    const over = { universe, scope: ids, operatorOnly: account === null };
    const evaluation = await evaluate(database, parseCriteria(criteria), over);
    const decided = (id: number) => {
      const verdict = verdictOfManifest(evaluation, id);
      if (verdict === 'match') return 'refused';
      if (states.get(id) === 'pending') return 'undecided';
      return verdict === 'unknown' && unknown === 'refuse' ? 'refused' : 'spared';
    };
    return new Map(ids.map((id) => [id, decided(id)]));
  };
}

interface DecisionAsk {
  readonly criteria: unknown;
  readonly unknown: 'allow' | 'refuse';
  /** Who quarantines; null: the operator. */
  readonly account: string | null;
}

/** As it was decided for a quarantine that is set. */
export function decideAsSet(database: Database, quarantine: Quarantine): Decide {
  if (quarantine.reach === 'layer')
    return decideByCriteria(database, { ...quarantine, account: quarantine.scopeAccount });
  return async (images) => {
    const exemptions = await exemptionsOf(database.read, quarantine.uid);
    const states = await imageStates(database, [...new Set(images.map((image) => image.manifestId))]);
    return new Map(
      images.map(({ manifestId, digest }) => {
        if (exemptions.get(digest)) return [manifestId, 'spared'];
        return [manifestId, states.get(manifestId) === 'pending' ? 'undecided' : 'refused'];
      }),
    );
  };
}
