import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/**
 * A file system of its own in memory, of `sizeMiB` and at most `files`.
 * @throws Error where this user may not mount one
 */
export async function mountSmallDisk(sizeMiB: number, files = 100_000): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-disk-'));
  try {
    await run('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${sizeMiB}m,nr_inodes=${files},mode=0755`,
      'tmpfs',
      folder,
    ]);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return {
    folder,
    remove: async () => {
      await run('umount', [folder]);
      await rm(folder, { recursive: true });
    },
  };
}

export async function maySmallDisk(): Promise<boolean> {
  try {
    await (await mountSmallDisk(1)).remove();
    return true;
  } catch {
    return false;
  }
}
