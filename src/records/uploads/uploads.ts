import type { Selectable } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { blobKeyInUse, condemnedKeyAdd } from '../catalog/blobs.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import type { UploadTable } from '../db/tables/catalog.ts';

/**
 * Upload sessions. A row lives from the start of an upload to its end; it names the key that the bytes are written
 * under. How far the upload has come is the length of the key in the blob store, nothing else.
 */
export type Upload = Selectable<UploadTable>;
export interface OpenUpload extends Upload {
  readonly account: string;
  /** Of the account; null: as much as there is room for. */
  readonly quota_bytes: number | null;
}

export async function uploadAdd(
  tx: Tx,
  upload: { id: string; repositoryId: number; principal: string; storageKey: string; writer: string },
): Promise<void> {
  const expiresAt = tx.nowMs + limits.uploadIdleMs;
  await uploadInserted(tx.db, { ...upload, startedAt: tx.nowMs, expiresAt });
}

const uploadInserted = keptQuery(
  (
    db,
    upload: {
      id: string;
      repositoryId: number;
      principal: string;
      storageKey: string;
      writer: string;
      startedAt: number;
      expiresAt: number;
    },
  ) =>
    db.insertInto('uploads').values({
      id: upload.id,
      repository_id: upload.repositoryId,
      principal: upload.principal,
      storage_key: upload.storageKey,
      writer: upload.writer,
      started_at: upload.startedAt,
      expires_at: upload.expiresAt,
    }),
);

/** Only of the repository that it was begun in. */
export async function uploadFind(
  db: Reader,
  asked: { id: string; repository: string },
): Promise<OpenUpload | undefined> {
  const [upload] = await uploadsNamed(db, asked);
  return upload;
}

const uploadsNamed = keptQuery((db, { id, repository }: { id: string; repository: string }) =>
  db
    .selectFrom('uploads')
    .innerJoin('repositories', 'repositories.id', 'uploads.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .selectAll('uploads')
    .select(['accounts.name as account', 'accounts.quota_bytes'])
    .where('uploads.id', '=', id)
    .where('repositories.name', '=', repository),
);

export async function uploadExists(db: Reader, id: string): Promise<boolean> {
  return (await writersOf(db, { id })).length > 0;
}

const writersOf = keptQuery((db, { id }: { id: string }) =>
  db.selectFrom('uploads').select('writer').where('id', '=', id),
);

/** To be committed before a process writes that is not the upload's `writer`. */
export async function uploadWrittenByMany(tx: Tx, id: string): Promise<void> {
  await tx.db.updateTable('uploads').set({ writer: '' }).where('id', '=', id).execute();
}

/** @returns whether no other process has begun to write to it */
export async function uploadWrittenOnlyBy(
  db: Reader,
  { id, writer }: { readonly id: string; readonly writer: string },
): Promise<boolean> {
  const [row] = await writersOf(db, { id });
  return row?.writer === writer;
}

/** Bytes came: the session is idle from now on only. */
export async function uploadTouch(tx: Tx, id: string): Promise<void> {
  await tx.db
    .updateTable('uploads')
    .set({ expires_at: tx.nowMs + limits.uploadIdleMs })
    .where('id', '=', id)
    .execute();
}

/** @returns false if another request has ended the session */
export async function uploadRemove(tx: Tx, id: string): Promise<boolean> {
  // Who comes second waits for the first one's commit, and then finds no row.
  return (await uploadRemoved(tx.db, { id })).length > 0;
}

const uploadRemoved = keptQuery((db, { id }: { id: string }) =>
  db.deleteFrom('uploads').where('id', '=', id).returning('id'),
);

/**
 * For whoever wrote bytes and then finds that the session has ended meanwhile: its key may have been swept before they
 * came. Unless they are a blob's: another request has closed the session.
 */
export async function uploadBytesLetGo(tx: Tx, storageKey: string): Promise<void> {
  if (!(await blobKeyInUse(tx, storageKey)))
    await condemnedKeyAdd(tx, { storageKey, blobId: 0, sizeBytes: 0 });
}

/** Sessions that nobody has gone on with. */
export async function uploadsIdle(
  db: Reader,
  nowMs: number,
  limit: number,
): Promise<{ id: string; storageKey: string }[]> {
  return db
    .selectFrom('uploads')
    .select(['id', 'storage_key as storageKey'])
    .where('expires_at', '<=', nowMs)
    .limit(limit)
    .execute();
}

/** Unless somebody went on with it meanwhile. Its bytes never became a blob: they wait for the sweep under blob 0. */
export async function uploadExpire(
  tx: Tx,
  { id, sizeBytes }: { readonly id: string; readonly sizeBytes: number },
): Promise<boolean> {
  const upload = await tx.db
    .deleteFrom('uploads')
    .where('id', '=', id)
    .where('expires_at', '<=', tx.nowMs)
    .returning('storage_key')
    .executeTakeFirst();
  if (!upload) return false;
  await condemnedKeyAdd(tx, { storageKey: upload.storage_key, blobId: 0, sizeBytes });
  return true;
}

/** How many have begun and not ended. */
export async function uploadsOpen(db: Reader): Promise<number> {
  const row = await db
    .selectFrom('uploads')
    .select((e) => e.fn.countAll<number>().as('open'))
    .executeTakeFirst();
  return Number(row?.open ?? 0);
}
