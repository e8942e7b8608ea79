import { sql } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { usageUnlinked } from '../access/usage.ts';
import type { Database, Tx } from '../db/database.ts';
import { locked, type Reader } from '../db/engine.ts';
import { archivesLetGo } from './archives.ts';

/** Bytes whose row has let go of them. */
export interface CondemnedKey {
  readonly storageKey: string;
  readonly blobId: number;
  readonly sizeBytes: number;
  /** Changes when its bytes came again. */
  readonly condemnedAt: number;
}

/** By key, after `page.after`: neighbours share a folder of the store. */
export async function condemnedKeys(
  db: Reader,
  page: { readonly after: string; readonly limit: number },
): Promise<CondemnedKey[]> {
  const rows = await db
    .selectFrom('condemned_keys')
    .selectAll()
    .where('condemned_keys.storage_key', '>', page.after)
    .orderBy('condemned_keys.storage_key')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    storageKey: row.storage_key,
    blobId: row.blob_id,
    sizeBytes: row.size_bytes,
    condemnedAt: row.condemned_at,
  }));
}

/** The key that so many precede; empty if there are not so many. */
export async function condemnedKeyAt(db: Reader, preceding: number): Promise<string> {
  const row = await db
    .selectFrom('condemned_keys')
    .select('storage_key')
    .orderBy('storage_key')
    .limit(1)
    .offset(preceding)
    .executeTakeFirst();
  return row?.storage_key ?? '';
}

/** What waits for the sweep. */
export async function condemnedTotal(db: Reader): Promise<{ count: number; sizeBytes: number }> {
  const row = await db
    .selectFrom('condemned_keys')
    .select((e) => [
      e.fn.countAll<number>().as('count'),
      e.fn.sum<number | null>('size_bytes').as('sizeBytes'),
    ])
    .executeTakeFirst();
  return { count: Number(row?.count ?? 0), sizeBytes: Number(row?.sizeBytes ?? 0) };
}

export interface Forgotten {
  /** Of the keys, those that no other collector has forgotten before. */
  readonly keys: number;
  readonly sizeBytes: number;
  readonly digests: readonly string[];
}

/**
 * After the bytes are gone: forgets the keys, and the rows of blobs that no manifest names any more. A key under which a
 * slow upload has written since they were read is let go of anew, and stays for the next sweep.
 */
export async function condemnedForget(tx: Tx, keys: readonly CondemnedKey[]): Promise<Forgotten> {
  const { db } = tx;
  const names = keys.map((key) => key.storageKey);
  const forgotten = await db
    .deleteFrom('condemned_keys')
    .where('storage_key', 'in', names)
    .where(sql<boolean>`(storage_key, condemned_at) in (values ${sql.join(keys.map(asRead))})`)
    .returning(['blob_id', 'size_bytes'])
    .execute();
  const ids = forgotten.map((key) => key.blob_id).filter((id) => id !== 0);
  const sizeBytes = forgotten.reduce((sum, key) => sum + key.size_bytes, 0);
  if (ids.length === 0) return { keys: forgotten.length, sizeBytes, digests: [] };
  // Locked: one that is pushed again meanwhile lives, and stays.
  const query = db.selectFrom('blobs').select(['id', 'digest', 'state']).where('id', 'in', ids).orderBy('id');
  const blobs = await locked(tx.engine, query).execute();
  await forgetUnnamed(
    tx,
    blobs.filter((blob) => blob.state === 'condemned').map((blob) => blob.id),
  );
  return { keys: forgotten.length, sizeBytes, digests: blobs.map((blob) => blob.digest) };
}

/**
 * Before that: what is known of large layers goes a part at a time, so that no transaction takes long. The inspection is
 * `pending` from then on: a layer that is pushed again meanwhile is read anew, and no more of it goes.
 */
export async function largeInventoriesForget(
  database: Database,
  keys: readonly CondemnedKey[],
): Promise<void> {
  const ids = keys.map(({ blobId }) => blobId).filter((id) => id !== 0);
  if (ids.length === 0) return;
  const { rows } = await sql<{ id: number }>`select blobs.id from blobs
    join inspections on inspections.blob_id = blobs.id
    where blobs.id in (${sql.join(ids)}) and blobs.state = 'condemned'
      and inspections.entries > ${limits.collectInventoryRows} and ${unnamed}`.execute(database.read);
  for (const { id } of rows)
    for (const table of ['layer_files', 'layer_packages', 'layer_secrets', 'layer_malware'] as const)
      while (await database.transact((tx) => somePartForget(tx, table, Number(id))));
}

/** @returns whether there may be more */
async function somePartForget(
  tx: Tx,
  table: 'layer_files' | 'layer_packages' | 'layer_secrets' | 'layer_malware',
  blobId: number,
): Promise<boolean> {
  const { db } = tx;
  const query = db.selectFrom('blobs').select('id').where('id', '=', blobId).where('state', '=', 'condemned');
  if (!(await locked(tx.engine, query).executeTakeFirst())) return false;
  const unread = { state: 'pending' as const, malware_read: 0 };
  await db.updateTable('inspections').set(unread).where('blob_id', '=', blobId).execute();
  const { rows } = await sql<{ path_id: number }>`select distinct path_id from ${sql.table(table)}
    where blob_id = ${blobId} limit ${limits.collectInventoryRows}`.execute(db);
  if (rows.length === 0) return false;
  const pathIds = rows.map((row) => row.path_id);
  if (table === 'layer_files') await archivesLetGo(tx, [blobId], pathIds);
  await db.deleteFrom(table).where('blob_id', '=', blobId).where('path_id', 'in', pathIds).execute();
  return true;
}

/** No manifest names it. */
const unnamed = sql<boolean>`(select edges.manifest_id from edges
  where edges.digest in (blobs.digest, blobs.digest_sha512) limit 1) is null`;

function asRead({ storageKey, condemnedAt }: CondemnedKey) {
  return sql`(${storageKey}, cast(${condemnedAt} as bigint))`;
}

/** A withdrawn manifest still names its layer, whose inventory says what was in it; that row stays. */
async function forgetUnnamed(tx: Tx, condemned: readonly number[]): Promise<void> {
  if (condemned.length === 0) return;
  const { db } = tx;
  const { rows } = await sql<{
    id: number;
  }>`select blobs.id from blobs where blobs.id in (${sql.join(condemned)}) and ${unnamed}`.execute(db);
  const ids = rows.map((row) => Number(row.id));
  if (ids.length === 0) return;
  const links = await db
    .deleteFrom('blob_links')
    .where('blob_id', 'in', ids)
    .returning(['repository_id', 'blob_id'])
    .execute();
  await usageUnlinked(tx, links);
  await archivesLetGo(tx, ids);
  for (const table of [
    'layer_packages',
    'layer_secrets',
    'layer_malware',
    'layer_files',
    'extractions',
    'inspections',
  ] as const)
    await db.deleteFrom(table).where('blob_id', 'in', ids).execute();
  await db.deleteFrom('blobs').where('id', 'in', ids).execute();
}
