import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';

/** Rules over repositories: an account's own, and the operator's (`account` null), which are over everybody's. */

/** @param accounts those that the caller sees; undefined: all. Of the operator's rules everybody may know. */
export function maySeeRule(accounts: readonly string[] | undefined, account: string | null): boolean {
  return accounts === undefined || account === null || accounts.includes(account);
}

/** @throws denied */
export function assertMayRule(caller: Caller, account: string | null): void {
  if (permits(caller, 'delete', { account, repository: null })) return;
  const whose = account === null ? 'the operator' : `a maintainer of ${account}`;
  throw new LazaretError('denied', `only ${whose} may do this`, {
    detail: { account, role: account === null ? 'admin' : 'maintainer' },
  });
}
