import { principalEnsure } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { opaqueSecretHash } from './secrets.ts';

/** As which principal a region calls its peers, by HTTP Basic, with the secret that both are configured with. */
export function regionPrincipal(region: string): string {
  return `region/${region}`;
}

/** Lets each configured peer in, with the secret that the configuration says now. */
export async function peerPrincipalsEnsure(
  deps: { readonly database: Database },
  peers: readonly { readonly name: string; readonly secret: string }[],
): Promise<void> {
  for (const { name, secret } of peers) {
    const principal = {
      name: regionPrincipal(name),
      kind: 'region' as const,
      account: null,
      secretHash: opaqueSecretHash(secret),
      bindings: [],
    };
    await deps.database.transact((tx) => principalEnsure(tx, principal, 'configuration'));
  }
}
