import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { randomKey } from '../../lib/random.ts';
import type { Task } from '../../lib/task.ts';
import {
  type SigningKey,
  signingKeyAdd,
  signingKeyNewest,
  signingKeysRetire,
} from '../../records/access/signing-keys.ts';
import type { Database } from '../../records/db/database.ts';

/**
 * The life of a signing key. The newest one signs, for a month or until somebody rotates; then a fresh one is made. An
 * older one verifies until the last token that it can have signed has ended; then it is retired. All servers of a region
 * read the same rows in each request, so that each knows a fresh key, and the end of an old one, at once.
 */
export interface KeyDeps {
  readonly database: Database;
  readonly clock: Clock;
}

/** Made now if there is none, or only one that has signed for long enough. */
export async function currentKey({ database, clock }: KeyDeps): Promise<SigningKey> {
  const tooOld = clock.wallMs() - limits.signingKeyMs;
  const newest = await signingKeyNewest(database.read);
  if (newest && newest.createdAt > tooOld) return newest;
  const fresh = await freshKey(clock.wallMs());
  return database.transact((tx) => signingKeyAdd(tx, fresh, tooOld));
}

/**
 * From now on a fresh key signs.
 * @param revoke retires all older ones at once: every token that was signed before stops working
 * @returns the fresh key's id, and how many were retired
 */
export async function signingKeyRotated(
  { database, clock }: KeyDeps,
  revoke: boolean,
): Promise<{ kid: string; retired: number }> {
  const newest = await signingKeyNewest(database.read);
  const fresh = await freshKey(Math.max(clock.wallMs(), (newest?.createdAt ?? 0) + 1));
  return database.transact(async (tx) => {
    await signingKeyAdd(tx, fresh, Number.POSITIVE_INFINITY);
    const retired = revoke ? await signingKeysRetire(tx, Number.MAX_SAFE_INTEGER) : 0;
    return { kid: fresh.kid, retired };
  });
}

/** Makes the key of the next month before somebody waits for it, and retires what can verify no token any more. */
export function signingKeyTask(deps: KeyDeps): Task {
  return {
    name: 'signing keys',
    periodMs: limits.signingKeyLookMs,
    calmMs: limits.taskCalmMs,
    run: async () => {
      await currentKey(deps);
      const verifiesNothing = deps.clock.wallMs() - limits.signingKeyMs - limits.identityTokenMs;
      const retired = await deps.database.transact((tx) => signingKeysRetire(tx, verifiesNothing));
      return retired > 0 ? 'worked' : 'idle';
    },
  };
}

async function freshKey(createdAt: number): Promise<SigningKey> {
  const { exportJWK, generateKeyPair } = await import('jose');
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  return {
    kid: randomKey(),
    privateJwk: JSON.stringify(await exportJWK(pair.privateKey)),
    publicJwk: JSON.stringify(await exportJWK(pair.publicKey)),
    createdAt,
  };
}
