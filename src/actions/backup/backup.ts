/**
 * Backup while everything goes on:
 *
 *   copy of the metadata ─► the bytes that it names and the folder lacks ─► the notes ─► backup.json ─► prune
 *
 * The metadata comes first, so that every row has its bytes: keys are never used again, so what the copy names is in the
 * store unless the collector takes it in between. Of what it takes, nothing that is needed is: whatever is missed counts
 * only if a manifest of the copy names it. What is in the folder already is not copied again. backup.json is replaced in
 * one step; only then does what it no longer names go, so whatever is collected goes from the backup as well.
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { randomKey } from '../../lib/random.ts';
import { copyBlobs, copyFacts, copyNeeds } from '../../records/backup/contents.ts';
import { databaseCopy } from '../../records/db/copy.ts';
import type { DatabaseConfig } from '../../records/db/drivers.ts';
import type { Reader } from '../../records/db/engine.ts';
import {
  type BackupRecord,
  backupRecordRead,
  backupRecordWrite,
  copiesTidy,
  copyPath,
  fileSha256,
  openBackupFolder,
} from './backup-folder.ts';
import { committedKeys, keyCopy } from './copy-bytes.ts';
import { notesMerge } from './decision-notes.ts';

export interface BackupDeps {
  readonly database: DatabaseConfig;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly region: string;
  /** Of this program. */
  readonly version: string;
}

export interface BackupResult {
  readonly record: BackupRecord;
  readonly copiedBlobs: number;
  readonly copiedBytes: number;
  /** Keys that went since the last backup. */
  readonly pruned: number;
  /** Blobs that something needs whose bytes the store lacks, or has wrong: the backup is whole but for them. */
  readonly broken: readonly { readonly digest: string; readonly problem: 'missing' | 'damaged' }[];
}

/** @throws conflict (a folder of another region), unavailable; cut off, it leaves the backup before it whole */
export async function backup(deps: BackupDeps, folder: string, signal: AbortSignal): Promise<BackupResult> {
  const to = await openBackupFolder(folder, deps.region);
  try {
    await copiesTidy(folder, (await backupRecordRead(folder))?.copy);
    const { kind } = deps.database;
    const name = `${randomKey().slice(0, 8)}.${kind === 'sqlite' ? 'sqlite' : 'jsonl'}`;
    const madeAt = deps.clock.wallMs();
    const copy = await databaseCopy(deps.database, copyPath(folder, name));
    try {
      const bytes = await bytesCopy({ from: deps.blobs, to, read: copy.read, signal });
      await notesMerge(deps.blobs, to);
      signal.throwIfAborted();
      const copySha256 = await fileSha256(copyPath(folder, name));
      const facts = await copyFacts(copy.read);
      const { version } = deps;
      const record = { format: 1, version, madeAt, engine: kind, copy: name, copySha256, ...facts } as const;
      await backupRecordWrite(folder, record);
      const pruned = await prune(to, bytes.named, signal);
      await copiesTidy(folder, name);
      const { copiedBlobs, copiedBytes, broken } = bytes;
      return { record, copiedBlobs, copiedBytes, broken, pruned };
    } finally {
      await copy.close();
    }
  } finally {
    await to.close();
  }
}

interface Copying {
  readonly from: BlobStore;
  readonly to: BlobStore;
  /** The copy of the metadata. */
  readonly read: Reader;
  readonly signal: AbortSignal;
}

async function bytesCopy(copying: Copying) {
  const { to, read, signal } = copying;
  const there = await committedKeys(to, signal);
  const named = new Set<string>();
  const broken: { digest: string; problem: 'missing' | 'damaged' }[] = [];
  let copiedBlobs = 0;
  let copiedBytes = 0;
  for await (const page of copyBlobs(read))
    for (const blob of page) {
      signal.throwIfAborted();
      named.add(blob.storageKey);
      if (there.get(blob.storageKey) === blob.sizeBytes) continue;
      const { how, sizeBytes } = await keyCopy(copying, { ...blob, key: blob.storageKey }, signal);
      if (how !== 'copied') {
        if (await copyNeeds(read, blob.digest)) broken.push({ digest: blob.digest, problem: how });
        continue;
      }
      copiedBlobs += 1;
      copiedBytes += sizeBytes;
    }
  return { named, broken, copiedBlobs, copiedBytes };
}

async function prune(to: BlobStore, named: ReadonlySet<string>, signal: AbortSignal): Promise<number> {
  const gone: string[] = [];
  for await (const { key } of to.list(signal)) if (!named.has(key)) gone.push(key);
  await to.delete(gone);
  return gone.length;
}
