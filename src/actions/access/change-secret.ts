import { LazaretError } from '../../lib/errors.ts';
import { randomSecret } from '../../lib/random.ts';
import { principalByName, principalExpirySet, principalSecretSet } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { passwordHash } from './secrets.ts';

/** From now on somebody's own password is the one that they chose. @throws notFound */
export async function passwordChosen(
  deps: { readonly database: Database },
  name: string,
  password: string,
): Promise<void> {
  const secretHash = await passwordHash(password);
  await deps.database.transact((tx) => principalSecretSet(tx, name, secretHash, name));
}

/**
 * A fresh secret, made here and shown this once, in place of the old one.
 * @param expiresAt from when on it is refused, null: never; undefined: as before
 * @throws notFound; invalid when it would be refused at once
 */
export async function secretRenewed(
  deps: { readonly database: Database; readonly clock: { wallMs(): number } },
  change: { readonly name: string; readonly expiresAt: number | null | undefined },
  actor: string,
): Promise<{ secret: string; expiresAt: number | null }> {
  const { name } = change;
  const known = await principalByName(deps.database.read, name);
  const expiresAt = change.expiresAt === undefined ? (known?.expiresAt ?? null) : change.expiresAt;
  if (expiresAt !== null && expiresAt <= deps.clock.wallMs())
    throw new LazaretError('invalid', `'${name}' has expired: say how long the new secret is good`, {
      detail: { path: 'body.expires' },
    });
  const secret = randomSecret();
  const secretHash = await passwordHash(secret);
  await deps.database.transact(async (tx) => {
    await principalSecretSet(tx, name, secretHash, actor);
    await principalExpirySet(tx, name, expiresAt, actor);
  });
  return { secret, expiresAt };
}
