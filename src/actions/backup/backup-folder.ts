/**
 * A folder that holds one backup:
 *
 *     backup.json          what is whole: written last, in one step, and names the copy of the metadata
 *     database/<id>.…      copies of the metadata; those that backup.json does not name are left-overs
 *     store/               a blob store of its own, of the same region: the bytes, and the notes
 *
 * A backup that was cut off leaves the backup.json of the one before, with all that it names; the next one goes on.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { isSystemCode, writeWhole } from '../../blobs/durable-files.ts';
import { openFilesystemStore } from '../../blobs/filesystem.ts';
import { LazaretError } from '../../lib/errors.ts';
import { Field } from '../../lib/fields.ts';
import type { CopyFacts } from '../../records/backup/contents.ts';

export interface BackupRecord extends CopyFacts {
  readonly format: 1;
  /** Of the program that made it. */
  readonly version: string;
  readonly madeAt: number;
  readonly engine: 'sqlite' | 'postgres';
  /** The copy's name in `database/`. */
  readonly copy: string;
  readonly copySha256: string;
}

export function copyPath(folder: string, name: string): string {
  return join(folder, 'database', name);
}

/** @throws conflict if it holds a backup of another region */
export async function openBackupFolder(folder: string, region: string): Promise<BlobStore> {
  await mkdir(join(folder, 'database'), { recursive: true, mode: 0o700 });
  return openFilesystemStore({ folder: join(folder, 'store'), region });
}

/** From here on this backup is the folder's. */
export async function backupRecordWrite(folder: string, record: BackupRecord): Promise<void> {
  await writeWhole(recordPath(folder), `${JSON.stringify(record, null, 2)}\n`, { replace: true });
}

/** @returns undefined if the folder has no whole backup. @throws invalid for a record that can't be read */
export async function backupRecordRead(folder: string): Promise<BackupRecord | undefined> {
  let text: string;
  try {
    text = await readFile(recordPath(folder), 'utf8');
  } catch (error) {
    if (isSystemCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  return recordOf(text);
}

/** Copies that the record does not name. */
export async function copiesTidy(folder: string, kept: string | undefined): Promise<void> {
  for (const name of await readdir(join(folder, 'database')))
    if (name !== kept) await rm(copyPath(folder, name), { force: true });
}

export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function recordPath(folder: string): string {
  return join(folder, 'backup.json');
}

function recordOf(text: string): BackupRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LazaretError('invalid', 'backup.json is not JSON', { cause });
  }
  const field = new Field(value, 'backup.json');
  if (field.member('format').value !== 1)
    throw new LazaretError('unsupported', 'the backup is of a later version of Lazaret');
  return {
    format: 1,
    version: field.member('version').text(),
    madeAt: field.member('madeAt').count(),
    engine: field.member('engine').oneOf(['sqlite', 'postgres']),
    copy: fileName(field.member('copy')),
    copySha256: field.member('copySha256').text(),
    region: field.member('region').text(),
    epoch: field.member('epoch').text(),
    head: field.member('head').count(),
    migrations: field
      .member('migrations')
      .items(10_000)
      .map((item) => item.text()),
    blobs: field.member('blobs').count(),
    manifests: field.member('manifests').count(),
    quarantines: field.member('quarantines').count(),
  };
}

function fileName(field: Field): string {
  const name = field.text();
  if (/^[a-z0-9]+\.(sqlite|jsonl)$/.test(name)) return name;
  throw field.error('must be the name of a file');
}
