import { LazaretError } from '../../lib/errors.ts';
import { randomSecret } from '../../lib/random.ts';
import type { RoleBinding } from '../../records/access/caller.ts';
import { principalAdd } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { passwordHash } from './secrets.ts';

export interface PrincipalRequest {
  readonly name: string;
  readonly kind: 'user' | 'robot';
  readonly account: string | null;
  readonly bindings: readonly RoleBinding[];
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt?: number | null;
}

/** The secret is made here, kept only as its hash, and shown this once. @throws invalid, conflict */
export async function principalCreated(
  deps: { readonly database: Database },
  request: PrincipalRequest,
  actor: string,
): Promise<{ name: string; secret: string; expiresAt: number | null }> {
  assertName(request);
  const secret = randomSecret();
  const secretHash = await passwordHash(secret); // slow, so before the transaction
  await deps.database.transact((tx) => principalAdd(tx, { ...request, secretHash }, actor));
  return { name: request.name, secret, expiresAt: request.expiresAt ?? null };
}

/**
 * A robot of account acme is `acme+ci`: a name says whose it is, and an account's admin, who makes robots, learns nothing
 * of other accounts' names by one that is taken. `+` is in no other name.
 */
function assertName({ name, kind, account }: PrincipalRequest): void {
  const plus = name.indexOf('+');
  const owner = plus === -1 ? undefined : name.slice(0, plus);
  if (kind === 'robot' && account !== null && owner !== account)
    throw new LazaretError('invalid', `a robot of account ${account} is named ${account}+…`, {
      detail: { path: 'body.name' },
    });
  if ((kind === 'user' || account === null) && owner !== undefined)
    throw new LazaretError('invalid', `'${name}': a '+' is only in the names of an account's robots`, {
      detail: { path: 'body.name' },
    });
}
