import type { Selectable } from 'kysely';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { Tables } from '../db/tables.ts';

/** The keys that tokens are signed with, as JSON Web Keys. They never leave their region. */
export interface SigningKey {
  readonly kid: string;
  readonly privateJwk: string;
  readonly publicJwk: string;
  readonly createdAt: number;
}

export async function signingKeyNewest(db: Reader): Promise<SigningKey | undefined> {
  const row = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where('retired_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .executeTakeFirst();
  return row && keyOf(row);
}

/** A retired key verifies nothing any more. */
export async function signingKeyByKid(db: Reader, kid: string): Promise<SigningKey | undefined> {
  const row = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where('kid', '=', kid)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return row && keyOf(row);
}

export async function signingKeyAdd(tx: Tx, key: SigningKey): Promise<void> {
  await tx.db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      private_jwk: key.privateJwk,
      public_jwk: key.publicJwk,
      created_at: key.createdAt,
      retired_at: null,
    })
    .execute();
}

function keyOf(row: Selectable<Tables['signing_keys']>): SigningKey {
  return { kid: row.kid, privateJwk: row.private_jwk, publicJwk: row.public_jwk, createdAt: row.created_at };
}
