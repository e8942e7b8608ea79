import type { Instance } from '../../contract/fleet.ts';
import { randomSecret } from '../../lib/random.ts';
import { principalAdd } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { instanceAdd } from '../../records/fleet/instances.ts';
import { opaqueSecretHash } from './secrets.ts';

/**
 * Registers an instance of this region, and the principal that its agent speaks as: `instance/NAME`. The secret is made
 * here, kept only as its hash, and shown this once.
 * @throws invalid, conflict
 */
export async function instanceCreated(
  deps: { readonly database: Database },
  request: { readonly name: string; readonly account: string },
  actor: string,
): Promise<{ instance: Instance; secret: string }> {
  const { name, account } = request;
  const secret = randomSecret();
  const principal = {
    name: `instance/${name}`,
    kind: 'instance' as const,
    account,
    secretHash: opaqueSecretHash(secret),
    bindings: [],
  };
  const instance = await deps.database.transact(async (tx) => {
    const uid = await principalAdd(tx, principal, actor);
    return instanceAdd(tx, { name, account, uid, actor });
  });
  return { instance, secret };
}
