import { receiptOf } from '../../actions/quarantine/receipt.ts';
import { receiptShow } from '../../contract/receipts.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { type BoundRoute, bind } from './bind.ts';
import { accountsSeen } from './scope.ts';

export function receiptRoutes(deps: { readonly database: Database; readonly clock: Clock }): BoundRoute[] {
  return [
    bind(receiptShow, async ({ params, caller }) => {
      const receipt = await receiptOf(deps, params.name);
      const accounts = accountsSeen(caller);
      const { scopeAccount } = receipt.quarantine;
      if (accounts !== undefined && (scopeAccount === null || !accounts.includes(scopeAccount)))
        throw new LazaretError('notFound', `there is no quarantine '${params.name}'`);
      return receipt;
    }),
  ];
}
