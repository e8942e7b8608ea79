import {
  deploymentDelete,
  deploymentNamed,
  deploymentRestore,
  deploymentStart,
  deploymentStop,
} from '../../actions/launch/change-deployment.ts';
import { deploymentCreate } from '../../actions/launch/create-deployment.ts';
import type { LaunchDeps } from '../../actions/launch/launch-deps.ts';
import { accountsOf } from '../../actions/launch/permission.ts';
import {
  deploymentCreate as createRoute,
  deploymentDelete as deleteRoute,
  deploymentList as listRoute,
  deploymentRestore as restoreRoute,
  revocationList as revocationsRoute,
  deploymentShow as showRoute,
  deploymentStart as startRoute,
  deploymentStop as stopRoute,
} from '../../contract/deployments.ts';
import { containersOfDeployment } from '../../records/fleet/containers.ts';
import { deploymentList } from '../../records/fleet/deployments.ts';
import { revocationList } from '../../records/fleet/revocations.ts';
import { type BoundRoute, bind } from './bind.ts';

export function deploymentRoutes(deps: LaunchDeps): BoundRoute[] {
  const { read } = deps.database;
  return [
    bind(createRoute, ({ caller, body }) => deploymentCreate(deps, caller, body)),
    bind(listRoute, async ({ caller }) => ({
      deployments: await deploymentList(read, { accounts: accountsOf(caller) }),
    })),
    bind(showRoute, async ({ caller, params, query }) => {
      const deployment = await deploymentNamed(read, caller, { ...params, ...query });
      return {
        ...deployment,
        containers: await containersOfDeployment(read, deployment.uid),
        revocations: await revocationList(read, { deploymentUid: deployment.uid }),
      };
    }),
    bind(startRoute, ({ caller, params, query }) => deploymentStart(deps, caller, { ...params, ...query })),
    bind(stopRoute, ({ caller, params, query, body }) =>
      deploymentStop(deps, caller, { ...params, ...query, ...body }),
    ),
    bind(restoreRoute, ({ caller, params, query, body }) =>
      deploymentRestore(deps, caller, { ...params, ...query, ...body }),
    ),
    bind(deleteRoute, ({ caller, params, query }) => deploymentDelete(deps, caller, { ...params, ...query })),
    bind(revocationsRoute, async ({ caller }) => ({
      revocations: await revocationList(read, { accounts: accountsOf(caller) }),
    })),
  ];
}
