import type { Selectable } from 'kysely';
import type { Tx } from '../db/database.ts';
import { type Reader, turnTaken } from '../db/engine.ts';
import type { Tables } from '../db/tables.ts';

/**
 * The keys that tokens are signed with, as JSON Web Keys. The newest signs; older ones verify what they have signed until
 * they are retired, when their private half is forgotten. They never leave their region; all its servers share them.
 */
export interface SigningKey {
  readonly kid: string;
  readonly privateJwk: string;
  readonly publicJwk: string;
  readonly createdAt: number;
}

export type ListedSigningKey = Pick<SigningKey, 'kid' | 'createdAt'> & { readonly retiredAt: number | null };

/** PostgreSQL's number for the turn of who makes a key. */
const keyTurn = 7_205_761;

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

/** Newest first. */
export async function signingKeyList(db: Reader): Promise<ListedSigningKey[]> {
  return db
    .selectFrom('signing_keys')
    .select(['kid', 'created_at as createdAt', 'retired_at as retiredAt'])
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .execute();
}

/**
 * Adds the key unless one that was made after `newerThan` is here already: of two servers that find none at the same
 * time, one makes it.
 * @returns the key that signs now
 */
export async function signingKeyAdd(tx: Tx, key: SigningKey, newerThan: number): Promise<SigningKey> {
  await turnTaken(tx, keyTurn, 'exclusive');
  const newest = await signingKeyNewest(tx.db);
  if (newest && newest.createdAt > newerThan) return newest;
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
  return key;
}

/** Retires the keys that were made before that time, the one that signs excepted. @returns how many */
export async function signingKeysRetire(tx: Tx, madeBefore: number): Promise<number> {
  const newest = await signingKeyNewest(tx.db);
  const { numUpdatedRows } = await tx.db
    .updateTable('signing_keys')
    .set({ retired_at: tx.nowMs, private_jwk: '' })
    .where('retired_at', 'is', null)
    .where('created_at', '<', madeBefore)
    .where('kid', '<>', newest?.kid ?? '')
    .executeTakeFirst();
  const count = Number(numUpdatedRows);
  // What was remembered of tokens is forgotten.
  if (count > 0)
    tx.emit({
      type: 'signing-keys.retired',
      lane: 'local',
      subject: 'tokens',
      actor: 'lazaret',
      data: { count },
    });
  return count;
}

function keyOf(row: Selectable<Tables['signing_keys']>): SigningKey {
  return { kid: row.kid, privateJwk: row.private_jwk, publicJwk: row.public_jwk, createdAt: row.created_at };
}
