import type { FingerprintKey } from '../../secrets/fingerprint.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** All versions, the newest last: what an older one fingerprinted is still found. */
export async function fingerprintKeyList(db: Reader): Promise<FingerprintKey[]> {
  return db.selectFrom('fingerprint_keys').select(['version', 'key']).orderBy('version').execute();
}

export async function fingerprintKeyNewest(db: Reader): Promise<FingerprintKey | undefined> {
  return (await fingerprintKeyList(db)).at(-1);
}

/** One that has this version already stays. @returns the one that is there now */
export async function fingerprintKeyAdd(tx: Tx, { version, key }: FingerprintKey): Promise<FingerprintKey> {
  await tx.db
    .insertInto('fingerprint_keys')
    .values({ version, key: Buffer.from(key), created_at: tx.nowMs })
    .onConflict((c) => c.column('version').doNothing())
    .execute();
  return tx.db
    .selectFrom('fingerprint_keys')
    .select(['version', 'key'])
    .where('version', '=', version)
    .executeTakeFirstOrThrow();
}
