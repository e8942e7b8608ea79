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
}

/** The secret is made here, kept only as its hash, and shown this once. @throws invalid, conflict */
export async function principalCreated(
  deps: { readonly database: Database },
  request: PrincipalRequest,
  actor: string,
): Promise<{ name: string; secret: string }> {
  const secret = randomSecret();
  const secretHash = await passwordHash(secret); // slow, so before the transaction
  await deps.database.transact((tx) => principalAdd(tx, { ...request, secretHash }, actor));
  return { name: request.name, secret };
}
