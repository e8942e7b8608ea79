import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** Bytes whose row has let go of them. */
export interface CondemnedKey {
  readonly storageKey: string;
  readonly blobId: number;
  readonly sizeBytes: number;
}

export async function condemnedKeys(db: Reader, limit: number): Promise<CondemnedKey[]> {
  const rows = await db
    .selectFrom('condemned_keys')
    .selectAll()
    .orderBy('condemned_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ storageKey: row.storage_key, blobId: row.blob_id, sizeBytes: row.size_bytes }));
}

/**
 * After the bytes are gone: forgets the keys, and the rows of blobs that no manifest names any more.
 * @returns the digests
 */
export async function condemnedForget(tx: Tx, keys: readonly CondemnedKey[]): Promise<string[]> {
  const { db } = tx;
  const digests: string[] = [];
  for (const key of keys) {
    await db.deleteFrom('condemned_keys').where('storage_key', '=', key.storageKey).execute();
    const blob = await db
      .selectFrom('blobs')
      .select(['id', 'digest', 'state'])
      .where('id', '=', key.blobId)
      .executeTakeFirst();
    if (!blob) continue;
    digests.push(blob.digest);
    if (blob.state === 'condemned') await forgetUnnamed(tx, blob);
  }
  return digests;
}

/** A withdrawn manifest still names its layer, whose inventory says what was in it; that row stays. */
async function forgetUnnamed(tx: Tx, blob: { id: number; digest: string }): Promise<void> {
  const { db } = tx;
  const named = await db
    .selectFrom('edges')
    .select('manifest_id')
    .where('digest', '=', blob.digest)
    .executeTakeFirst();
  if (named) return;
  await db.deleteFrom('blob_links').where('blob_id', '=', blob.id).execute();
  await db.deleteFrom('layer_packages').where('blob_id', '=', blob.id).execute();
  await db.deleteFrom('layer_files').where('blob_id', '=', blob.id).execute();
  await db.deleteFrom('extractions').where('blob_id', '=', blob.id).execute();
  await db.deleteFrom('inspections').where('blob_id', '=', blob.id).execute();
  await db.deleteFrom('blobs').where('id', '=', blob.id).execute();
}
