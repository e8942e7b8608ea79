import { existsSync } from 'node:fs';
import { type BackupResult, backup } from '../actions/backup/backup.ts';
import { type RestoreResult, restore } from '../actions/backup/restore.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openBlobStore } from '../blobs/drivers.ts';
import { systemClock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';
import { lazaretVersion } from '../lib/version.ts';
import type { Config } from './config/config.ts';
import { takeDataFolder } from './data-folder.ts';

/**
 * Beside the server, which goes on. One backup at a time uses the folder.
 * @throws dataFolderInUse, unsupported (bytes in memory), and as the action does
 */
export async function backupTo(config: Config, folder: string, signal: AbortSignal): Promise<BackupResult> {
  assertPersistent(config);
  if (config.blobs.kind === 'filesystem' && !existsSync(config.blobs.folder))
    throw new LazaretError('unavailable', `there is no blob store ${config.blobs.folder}`);
  const free = takeDataFolder(folder);
  try {
    return await withBlobs(config, (blobs) =>
      backup({ ...partsOf(config), blobs, version: lazaretVersion }, folder, signal),
    );
  } finally {
    free();
  }
}

/** While no server runs here. @throws dataFolderInUse, and as the action does */
export async function restoreFrom(
  config: Config,
  folder: string,
  signal: AbortSignal,
): Promise<RestoreResult> {
  assertPersistent(config);
  const free = takeDataFolder(config.dataFolder);
  try {
    return await withBlobs(config, (blobs) => restore({ ...partsOf(config), blobs }, folder, signal));
  } finally {
    free();
  }
}

function partsOf({ database, region }: Config) {
  return { database, region, clock: systemClock };
}

async function withBlobs<T>(config: Config, work: (blobs: BlobStore) => Promise<T>): Promise<T> {
  const blobs = await openBlobStore(config.blobs, config.region);
  try {
    return await work(blobs);
  } finally {
    await blobs.close();
  }
}

function assertPersistent({ blobs }: Config): void {
  if (blobs.kind === 'memory')
    throw new LazaretError('unsupported', 'blobs.kind is memory: there are no bytes to back up or restore');
}
