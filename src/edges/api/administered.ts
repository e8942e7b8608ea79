import { LazaretError } from '../../lib/errors.ts';
import type { Caller, RoleBinding } from '../../records/access/caller.ts';
import { isOperator, permits } from '../../records/access/permits.ts';
import { type ListedPrincipal, principalList } from '../../records/access/principals.ts';
import type { Reader } from '../../records/db/engine.ts';

/**
 * Who administers whom. The operator administers everybody. An account's admin administers the account's principals, so
 * far as their roles are over that account only: nobody gets, by somebody else's password, more than they can give.
 */
export function administers(caller: Caller, account: string | null): boolean {
  return permits(caller, 'admin', { account, repository: null });
}

/** @throws denied, in the same words whether or not there is such an account */
export function assertAdministers(caller: Caller, account: string | null): void {
  if (administers(caller, account)) return;
  throw new LazaretError(
    'denied',
    account === null ? 'this is for administrators only' : `only an admin of ${account} may do this`,
    { detail: { role: 'admin', account } },
  );
}

/** @throws denied for a role over more than the caller administers */
export function assertMayGive(caller: Caller, bindings: readonly Pick<RoleBinding, 'account'>[]): void {
  for (const { account } of bindings) assertAdministers(caller, account);
}

/** @throws denied to who administers nobody; notFound for who is not there, or not the caller's to administer */
export async function administered(db: Reader, caller: Caller, name: string): Promise<ListedPrincipal> {
  if (accountsAdministered(caller).length === 0)
    throw new LazaretError('denied', 'this is for administrators only', { detail: { role: 'admin' } });
  const principal = (await principalList(db, null)).find((one) => one.name === name);
  if (!principal || !administers(caller, principal.account))
    throw new LazaretError('notFound', `there is no user or robot '${name}' that you administer`);
  if (!isOperator(caller)) assertMayGive(caller, principal.bindings);
  return principal;
}

/** null among them: all. */
export function accountsAdministered(caller: Caller): (string | null)[] {
  return caller.bindings
    .filter(({ role, repositoryGlob }) => role === 'admin' && repositoryGlob === null)
    .map(({ account }) => account);
}
