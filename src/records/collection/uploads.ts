import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

export async function uploadsExpired(db: Reader, nowMs: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('uploads')
    .select('id')
    .where('expires_at', '<=', nowMs)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Unless somebody went on with it meanwhile. Its bytes belong to no blob: they wait for the sweep under blob 0. */
export async function uploadExpire(tx: Tx, id: string): Promise<void> {
  const upload = await tx.db
    .deleteFrom('uploads')
    .where('id', '=', id)
    .where('expires_at', '<=', tx.nowMs)
    .returning('storage_key')
    .executeTakeFirst();
  if (!upload) return;
  await tx.db
    .insertInto('condemned_keys')
    .values({ storage_key: upload.storage_key, blob_id: 0, size_bytes: 0, condemned_at: tx.nowMs })
    .onConflict((c) => c.column('storage_key').doNothing())
    .execute();
}
