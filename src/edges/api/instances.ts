import { instanceCreated } from '../../actions/access/create-instance.ts';
import { accountsOf } from '../../actions/launch/permission.ts';
import {
  containerList,
  instanceCreate,
  instanceList as instanceListRoute,
} from '../../contract/instances.ts';
import { LazaretError } from '../../lib/errors.ts';
import { permits } from '../../records/access/permits.ts';
import type { Database } from '../../records/db/database.ts';
import { containerViews } from '../../records/fleet/containers.ts';
import { instanceList } from '../../records/fleet/instances.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface InstanceDeps {
  readonly database: Database;
}

export function instanceRoutes({ database }: InstanceDeps): BoundRoute[] {
  return [
    bind(instanceCreate, async ({ caller, body }) => {
      if (!permits(caller, 'deploy', { account: body.account, repository: null }))
        throw new LazaretError('denied', `only a maintainer of ${body.account} may register its instances`, {
          detail: { account: body.account, role: 'maintainer' },
        });
      return instanceCreated({ database }, body, caller.principal);
    }),
    bind(instanceListRoute, async ({ caller }) => ({
      instances: await instanceList(database.read, accountsOf(caller)),
    })),
    bind(containerList, async ({ caller, query }) => ({
      containers: await containerViews(database.read, {
        accounts: accountsOf(caller),
        present: query.all !== true,
      }),
    })),
  ];
}
