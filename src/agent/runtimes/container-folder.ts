/** The folder in which the runc runtime keeps one container: what was unpacked, and what its keeper wrote (runc-keeper.ts). */
import { chmod, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';

export interface ExitRecord {
  /** Absent when the keeper was lost and nobody saw the exit. */
  readonly exitCode?: number;
  /** Milliseconds since 1970. */
  readonly exitedAt: number;
}

export class ContainerFolder {
  readonly path: string;
  readonly bundle: string;
  readonly rootfs: string;

  constructor(path: string) {
    this.path = path;
    this.bundle = join(path, 'bundle');
    this.rootfs = join(path, 'bundle', 'rootfs');
  }

  file(
    name: 'image' | 'pid' | 'exit' | 'exit.new' | 'runc.log' | 'lease' | 'lease.new' | 'lease-ended',
  ): string {
    return join(this.path, name);
  }

  /** The digest of the manifest that was unpacked here, as text; absent when the folder is. */
  async image(): Promise<string | undefined> {
    return (await readIfThere(this.file('image')))?.toString('utf8');
  }

  async exit(): Promise<ExitRecord | undefined> {
    const content = await readIfThere(this.file('exit'));
    return content && exitRecord(content.toString('utf8'), await modifiedAt(this.file('exit')));
  }

  /** For a container whose keeper is gone: keeps what is known of its exit. */
  async recordLostExit(): Promise<ExitRecord> {
    const found = await readIfThere(this.file('exit.new'));
    if (found === undefined) await writeFile(this.file('exit.new'), 'unknown\n');
    await rename(this.file('exit.new'), this.file('exit'));
    return exitRecord(found?.toString('utf8') ?? 'unknown', await modifiedAt(this.file('exit')));
  }

  /** When the container began to run, milliseconds since 1970; absent when it never did. */
  startedAt(): Promise<number | undefined> {
    return modifiedAt(this.file('pid')).catch(ifMissing);
  }

  /** For its keeper; nothing when the folder isn't there. */
  async writeLease(line: string): Promise<void> {
    try {
      await writeFile(this.file('lease.new'), line);
      await rename(this.file('lease.new'), this.file('lease'));
    } catch (error) {
      ifMissing(error);
    }
  }

  async hasLease(): Promise<boolean> {
    return (await stat(this.file('lease')).catch(ifMissing)) !== undefined;
  }

  /** Whether the keeper ended it because of its lease. */
  async leaseEnded(): Promise<boolean> {
    return (await stat(this.file('lease-ended')).catch(ifMissing)) !== undefined;
  }

  async forgetRun(): Promise<void> {
    for (const name of ['pid', 'exit', 'exit.new', 'lease-ended'] as const)
      await rm(this.file(name), { force: true });
  }

  /** The last lines that the container wrote, or nothing. */
  async lastOutput(): Promise<string | undefined> {
    let tail = '';
    for (const name of ['output', 'output.1', 'output.2']) {
      if (tail.length >= limits.containerOutputBytesMax) break;
      tail = (await readTail(join(this.path, name), limits.containerOutputBytesMax)) + tail;
    }
    const lines = tail.slice(-limits.containerOutputBytesMax).trimEnd().split('\n');
    const text = lines.slice(-limits.containerOutputLinesMax).join('\n');
    return text === '' ? undefined : text;
  }

  /** Why runc could not start the container, in its own words. */
  async runcError(): Promise<string | undefined> {
    const lines = (await readTail(this.file('runc.log'), 64 * 1024))
      .split('\n')
      .filter((line) => line !== '');
    const last = lines.at(-1);
    if (last === undefined) return undefined;
    return parseJsonField(Buffer.from(last), 'runc.log').optional('msg')?.string();
  }
}

/** Removes a tree whatever the modes of its folders, which without root keep even their owner from emptying them. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasErrno(error, 'EACCES') && !hasErrno(error, 'EPERM')) throw error;
    await unlockFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function unlockFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await unlockFolders(join(path, entry.name));
}

export function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** For `catch`: a missing file is `undefined`, any other failure goes on. */
export function ifMissing(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT')) throw error;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(ifMissing);
}

async function modifiedAt(path: string): Promise<number> {
  return Math.round((await stat(path)).mtimeMs);
}

function exitRecord(content: string, exitedAt: number): ExitRecord {
  const exitCode = /^\d+\n?$/.test(content) ? Number.parseInt(content, 10) : undefined;
  return exitCode === undefined ? { exitedAt } : { exitCode, exitedAt };
}

async function readTail(path: string, bytesMax: number): Promise<string> {
  const file = await open(path, 'r').catch(ifMissing);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
