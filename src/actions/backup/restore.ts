/**
 * Restore into an empty database, and a blob store that is empty or has survived:
 *
 *   checks ─► bytes that the store lacks ─► notes, the newer of both ─► metadata, whole or not at all ─► what is missing
 *
 * The metadata comes last and in one step, so a restore that was cut off is begun again. In that step the decisions of
 * the notes are applied (a mark that was acknowledged after the backup binds again; a release as well), the log gets a
 * new epoch, and the collector is turned off until a scrub has ended (`records/backup/restored.ts`).
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { copyBlobs } from '../../records/backup/contents.ts';
import { type Restored, restoreSettle } from '../../records/backup/restored.ts';
import { databaseEmpty, databaseRestore } from '../../records/db/copy.ts';
import type { DatabaseConfig } from '../../records/db/drivers.ts';
import {
  type BackupRecord,
  backupRecordRead,
  copyPath,
  fileSha256,
  openBackupFolder,
} from './backup-folder.ts';
import { committedKeys, keyCopy } from './copy-bytes.ts';
import { decisionsOf, notesMerge } from './decision-notes.ts';

export interface RestoreDeps {
  readonly database: DatabaseConfig;
  /** Of the region that is restored. */
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly region: string;
}

export interface RestoreResult extends Restored {
  readonly record: BackupRecord;
  readonly copiedBlobs: number;
  readonly copiedBytes: number;
  /** Blobs whose bytes are neither in the backup nor in the store. */
  readonly missing: readonly string[];
}

/**
 * @throws notFound (no whole backup there), conflict (the database is not empty; the backup is of another region, engine
 *   or version), digestInvalid (the copy has changed), invalid (a note that can't be read)
 */
export async function restore(
  deps: RestoreDeps,
  folder: string,
  signal: AbortSignal,
): Promise<RestoreResult> {
  const record = await wholeBackup(folder);
  await assertFits(deps, record);
  const from = await openBackupFolder(folder, deps.region);
  try {
    const copied = await bytesRestore({ from, to: deps.blobs }, signal);
    await notesMerge(from, deps.blobs);
    const notes = await decisionsOf(deps.blobs);
    const options = { region: deps.region, clock: deps.clock };
    signal.throwIfAborted();
    const there = await committedKeys(deps.blobs, signal);
    const settled = await databaseRestore(
      deps.database,
      copyPath(folder, record.copy),
      options,
      async (tx) => {
        const missing: string[] = [];
        for await (const page of copyBlobs(tx.db))
          for (const blob of page)
            if (there.get(blob.storageKey) !== blob.sizeBytes) missing.push(blob.digest);
        return { missing, ...(await restoreSettle(tx, notes, record)) };
      },
    );
    return { record, ...copied, ...settled };
  } finally {
    await from.close();
  }
}

async function wholeBackup(folder: string): Promise<BackupRecord> {
  const record = await backupRecordRead(folder);
  if (!record) throw new LazaretError('notFound', `there is no whole backup in ${folder}`);
  if ((await fileSha256(copyPath(folder, record.copy))) !== record.copySha256)
    throw new LazaretError(
      'digestInvalid',
      `the copy of the metadata in ${folder} has changed since it was made`,
    );
  return record;
}

async function assertFits({ database, region }: RestoreDeps, record: BackupRecord): Promise<void> {
  if (record.region !== region)
    throw new LazaretError('conflict', `the backup is of region '${record.region}', not '${region}'`);
  if (record.engine !== database.kind)
    throw new LazaretError('conflict', `the backup is of ${record.engine}, and this is ${database.kind}`);
  if (!(await databaseEmpty(database)))
    throw new LazaretError('conflict', 'the database is not empty: a restore replaces nothing; move it away');
}

async function bytesRestore(stores: { from: BlobStore; to: BlobStore }, signal: AbortSignal) {
  const there = await committedKeys(stores.to, signal);
  let copiedBlobs = 0;
  let copiedBytes = 0;
  for (const [key, sizeBytes] of await committedKeys(stores.from, signal)) {
    signal.throwIfAborted();
    if (there.get(key) === sizeBytes) continue;
    const { how } = await keyCopy(stores, { key }, signal);
    if (how !== 'copied') continue;
    copiedBlobs += 1;
    copiedBytes += sizeBytes;
  }
  return { copiedBlobs, copiedBytes };
}
