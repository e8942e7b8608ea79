import { sql } from 'kysely';
import { condemnedKeyAdd } from '../catalog/blobs.ts';
import type { Tx } from '../db/database.ts';
import { locked, type Reader } from '../db/engine.ts';
import { copyEnqueue, copyJob } from '../regions/copies.ts';

/** What a scrub compares the store's keys with, and what it changes. */
export interface ScrubRow {
  readonly id: number;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly state: 'live' | 'remote';
  /** null of a remote blob. */
  readonly storageKey: string | null;
}

/** `lost`: no other region has it; the doors say that it is unknown, so that it is pushed again. */
export type Mended = 'copying' | 'lost' | 'changed';

/**
 * Which of these keys some row names: a blob's, an upload's, one that waits for the sweep, a copy's. One statement, so
 * that a key which moves from an upload to a blob is seen in the one or the other.
 */
export async function keysNamed(db: Reader, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const list = sql.join(keys.map((key) => sql`${key}`));
  const { rows } = await sql<{ name: string }>`
    select storage_key as name from blobs where storage_key in (${list})
    union all select storage_key from uploads where storage_key in (${list})
    union all select storage_key from condemned_keys where storage_key in (${list})
    union all select payload from jobs where kind = ${copyJob} and payload <> '{}'`.execute(db);
  return new Set(rows.map(({ name }) => (name.startsWith('{') ? rememberedKey(name) : name)));
}

/** Lets go of bytes unless a row names them now. @returns whether it did */
export async function orphanCondemn(tx: Tx, orphan: { key: string; sizeBytes: number }): Promise<boolean> {
  if ((await keysNamed(tx.db, [orphan.key])).has(orphan.key)) return false;
  await condemnedKeyAdd(tx, { storageKey: orphan.key, blobId: 0, sizeBytes: orphan.sizeBytes });
  return true;
}

/** Blobs that should be here, and those that were until a scrub found them damaged, by id. */
export async function scrubRows(db: Reader, afterId: number, limit: number): Promise<ScrubRow[]> {
  const rows = await db
    .selectFrom('blobs')
    .selectAll()
    .where('id', '>', afterId)
    .where((e) =>
      e.or([
        e('state', '=', 'live'),
        // Remote although no other region is its home: damaged here.
        e.and([
          e('state', '=', 'remote'),
          e.not(
            e.exists(
              e
                .selectFrom('blob_links')
                .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
                .innerJoin('regions', 'regions.name', 'repositories.home_region')
                .select('repositories.id')
                .whereRef('blob_links.blob_id', '=', 'blobs.id')
                .where('regions.is_self', '=', 0),
            ),
          ),
        ]),
      ]),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id, digest, size_bytes, state, storage_key }) => ({
    id,
    digest,
    sizeBytes: size_bytes,
    state: state === 'remote' ? state : 'live',
    storageKey: storage_key,
  }));
}

/**
 * The bytes of a live blob are missing or wrong: the doors stop serving them. Where another region may have the blob it
 * becomes remote, with a copy job; else it is condemned, so that a client that has it uploads it again. Its links stay:
 * they serve again when it is back. Nothing happens if the row has changed since it was read.
 */
export async function damagedMend(tx: Tx, row: ScrubRow, keptBytes: number): Promise<Mended> {
  if (row.storageKey === null) return 'changed';
  const query = tx.db.selectFrom('blobs').selectAll().where('id', '=', row.id);
  const now = await locked(tx.engine, query).executeTakeFirst();
  if (now?.state !== 'live' || now.storage_key !== row.storageKey) return 'changed';
  const state = (await elsewhere(tx.db, row.id)) ? 'remote' : 'condemned';
  await tx.db.updateTable('blobs').set({ state, storage_key: null }).where('id', '=', row.id).execute();
  await condemnedKeyAdd(tx, { storageKey: row.storageKey, blobId: row.id, sizeBytes: keptBytes });
  if (state === 'condemned') return 'lost';
  await copyEnqueue(tx, [row.digest], 'asked');
  return 'copying';
}

/**
 * A remote blob that only repositories of this region hold was damaged here: its copy is begun again if it has ended, and
 * the blob is given up when no region had it.
 * @returns undefined if there is nothing to do
 */
export async function remoteMend(tx: Tx, row: ScrubRow): Promise<Mended | undefined> {
  const query = tx.db.selectFrom('blobs').select('state').where('id', '=', row.id);
  if ((await locked(tx.engine, query).executeTakeFirst())?.state !== 'remote') return undefined;
  if (await heldForOthers(tx.db, row.id)) return undefined;
  const job = await tx.db
    .selectFrom('jobs')
    .select('state')
    .where('kind', '=', copyJob)
    .where('key', '=', row.digest)
    .executeTakeFirst();
  if (job && job.state !== 'dead') return undefined;
  if (!job && (await elsewhere(tx.db, row.id))) {
    await copyEnqueue(tx, [row.digest], 'asked');
    return 'copying';
  }
  await tx.db.updateTable('blobs').set({ state: 'condemned' }).where('id', '=', row.id).execute();
  return 'lost';
}

/** In a repository whose home is another region, or in one of ours while there are other regions that may have it. */
async function elsewhere(db: Reader, blobId: number): Promise<boolean> {
  if (await heldForOthers(db, blobId)) return true;
  const peer = await db.selectFrom('regions').select('name').where('is_self', '=', 0).executeTakeFirst();
  const link = await db
    .selectFrom('blob_links')
    .select('blob_id')
    .where('blob_id', '=', blobId)
    .executeTakeFirst();
  return peer !== undefined && link !== undefined;
}

async function heldForOthers(db: Reader, blobId: number): Promise<boolean> {
  const row = await db
    .selectFrom('blob_links')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .innerJoin('regions', 'regions.name', 'repositories.home_region')
    .select('repositories.id')
    .where('blob_links.blob_id', '=', blobId)
    .where('regions.is_self', '=', 0)
    .executeTakeFirst();
  return row !== undefined;
}

/** Of a copy's payload. */
function rememberedKey(payload: string): string {
  const value: unknown = JSON.parse(payload);
  const known = typeof value === 'object' && value !== null && 'storageKey' in value;
  return known && typeof value.storageKey === 'string' ? value.storageKey : '';
}
