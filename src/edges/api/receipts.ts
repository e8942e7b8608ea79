import { type ReceiptDeps, receiptOf } from '../../actions/quarantine/receipt.ts';
import { receiptShow } from '../../contract/receipts.ts';
import { LazaretError } from '../../lib/errors.ts';
import { type BoundRoute, bind } from './bind.ts';
import { accountsSeen } from './scope.ts';

export function receiptRoutes(deps: ReceiptDeps): BoundRoute[] {
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
