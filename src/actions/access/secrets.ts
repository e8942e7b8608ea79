import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Secrets at rest. What a person may have chosen is hashed by argon2id, slow on purpose; the 192-bit random secrets of
 * regions and instances, which no one can guess, by one round of sha256, since they come with every heartbeat.
 */
const opaquePrefix = 'sha256:';

/** OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane. */
const argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export async function passwordHash(password: string): Promise<string> {
  const { hash } = await import('@node-rs/argon2');
  return hash(password, argon2Cost);
}

export function opaqueSecretHash(secret: string): string {
  return opaquePrefix + createHash('sha256').update(secret).digest('hex');
}

export async function secretMatches(secret: string, stored: string): Promise<boolean> {
  if (stored.startsWith(opaquePrefix))
    return timingSafeEqual(Buffer.from(opaqueSecretHash(secret)), Buffer.from(stored));
  const { verify } = await import('@node-rs/argon2');
  return verify(stored, secret);
}
