import { clockConfirm } from '../../actions/collect/clock-guard.ts';
import { collect } from '../../actions/collect/collect.ts';
import type { CollectDeps } from '../../actions/collect/collect-deps.ts';
import { collectPlan, explainBlob } from '../../actions/collect/explain.ts';
import { blobExplain, clockConfirm as clockConfirmRoute, gcPlan, gcRun } from '../../contract/collection.ts';
import { limits } from '../../lib/limits.ts';
import { parseDigest } from '../../oci/digest.ts';
import { type BoundRoute, bind } from './bind.ts';

export function collectionRoutes(deps: CollectDeps): BoundRoute[] {
  return [
    bind(gcRun, ({ signal }) => collect(deps, signal)),
    bind(clockConfirmRoute, async ({ caller }) => ({ doubted: await clockConfirm(deps, caller.principal) })),
    bind(gcPlan, () => collectPlan(deps, limits.apiPageMax)),
    bind(blobExplain, ({ params }) => explainBlob(deps, parseDigest(params.digest))),
  ];
}
