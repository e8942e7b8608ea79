/**
 * File operations that survive a crash of the machine. A new name is durable only when its folder was flushed, a new
 * folder only when its parent was. Errors of the operating system become unavailable, with the cause.
 */
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LazaretError } from '../lib/errors.ts';

const folderMode = 0o750;
export const fileMode = 0o640;

let temporaryCount = 0;

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

export function isSystemCode(error: unknown, code: string): boolean {
  return isSystemError(error) && error.code === code;
}

/** A failure of the operating system as unavailable or storeFull; anything else is a defect, or has its code: it stays. */
export function asUnavailable(doing: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return new LazaretError('storeFull', `the blob store is full: ${error.code}`, { cause: error });
  return new LazaretError('unavailable', `the blob store failed ${doing}: ${error.code}`, { cause: error });
}

export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function flushFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes `folder` and those above it that are missing, each durable before the next. */
export async function ensureFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: folderMode });
  } catch (error) {
    if (isSystemCode(error, 'EEXIST')) return;
    if (!isSystemCode(error, 'ENOENT') || dirname(folder) === folder) throw error;
    await ensureFolder(dirname(folder));
    return ensureFolder(folder);
  }
  await flushFolder(dirname(folder));
}

/** Puts `text` under `path` whole or not at all; with `replace: false` fails with EEXIST if something is there. */
export async function writeWhole(path: string, text: string, options: { replace: boolean }): Promise<void> {
  const folder = dirname(path);
  temporaryCount += 1;
  const temporary = join(folder, `.${process.pid}-${temporaryCount}-${basename(path)}`.slice(0, 255));
  try {
    const handle = await open(temporary, 'w', fileMode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (options.replace) await rename(temporary, path);
    else await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await flushFolder(folder);
}
