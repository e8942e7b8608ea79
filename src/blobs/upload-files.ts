/**
 * The files of blobs that are being written. A file's name says who may write to it:
 *
 *     uploads/<key>          nobody does; whoever renames it to a name of its own has taken it
 *     writing/<key>.<take>   who has taken it does, or did when its process died
 *
 * Nothing can take an open file away from a process that has stalled, so a file is never shared: another process that
 * wants to go on meanwhile, or after a crash, renames it, copies what is there (for nothing, where the filesystem can
 * clone), and goes on with the copy. What the first writes from then on has no name. It finds that out when it gives its
 * file back, since `uploads/<key>` is only put where there is none: of several takers the first to give back wins, and
 * the others fail with conflict.
 *
 * `writing` holds only what is written at this moment, and what processes that died have left, so it can be looked
 * through; `uploads` holds every session that has bytes.
 */
import { constants, copyFile, link, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LazaretError } from '../lib/errors.ts';
import { randomKey } from '../lib/random.ts';
import type { BlobKey } from './blob-store.ts';
import { flushFile, flushFolder, isSystemCode } from './durable-files.ts';

/** What `operation` gives, or undefined if its file is missing. @throws if the whole store is missing */
type IfThere = <T>(operation: Promise<T>) => Promise<T | undefined>;

const takesTried = 5;
const copying = '.copy';

export class UploadFiles {
  /** Of the files that nobody writes to. */
  readonly folder: string;
  readonly writingFolder: string;
  readonly #ifThere: IfThere;

  constructor(storeFolder: string, ifThere: IfThere) {
    this.folder = join(storeFolder, 'uploads');
    this.writingFolder = join(storeFolder, 'writing');
    this.#ifThere = ifThere;
  }

  path(key: BlobKey): string {
    return join(this.folder, key);
  }

  /** A name for a file that is begun now, and taken. */
  newPath(key: BlobKey): string {
    return join(this.writingFolder, `${key}.${randomKey()}`);
  }

  /** @returns the path of the file, which nobody else writes to; undefined if nothing was written. @throws conflict */
  async take(key: BlobKey): Promise<string | undefined> {
    const mine = this.newPath(key);
    for (let tried = 0; tried < takesTried; tried += 1) {
      if (await this.#moved(this.path(key), mine)) return mine;
      const taken = await this.#takenPath(key);
      // It may have been given back between the two looks.
      if (taken === undefined) return (await this.#moved(this.path(key), mine)) ? mine : undefined;
      if (!(await this.#moved(taken, mine))) continue;
      await leaveBehind(mine);
      return mine;
    }
    throw takenOver(key);
  }

  /** The file must be closed. @returns false if it has been deleted. @throws conflict if another process went on with it */
  async giveBack(key: BlobKey, mine: string): Promise<boolean> {
    try {
      await link(mine, this.path(key));
    } catch (error) {
      if (isSystemCode(error, 'EEXIST')) {
        await this.drop(mine);
        throw takenOver(key);
      }
      if (!isSystemCode(error, 'ENOENT')) throw error;
      if ((await this.sizeOf(key)) !== undefined) throw takenOver(key);
      return false;
    }
    await this.drop(mine);
    return true;
  }

  async drop(mine: string): Promise<void> {
    await this.#ifThere(unlink(mine));
  }

  /** Of a file that nobody writes to. */
  async idleSize(key: BlobKey): Promise<number | undefined> {
    return (await this.#ifThere(stat(this.path(key))))?.size;
  }

  /** Also while it is written; flushed, with its name. undefined if there is nothing. */
  async durableSize(key: BlobKey): Promise<number | undefined> {
    const handle = await this.#ifThere(open(this.path(key), 'r'));
    if (handle === undefined) return this.#durableSizeOfTaken(key);
    try {
      const { size } = await handle.stat();
      await handle.datasync();
      return size;
    } finally {
      await handle.close();
    }
  }

  async sizeOf(key: BlobKey): Promise<number | undefined> {
    const idle = await this.idleSize(key);
    if (idle !== undefined) return idle;
    const taken = await this.#takenPath(key);
    return taken === undefined ? undefined : (await this.#ifThere(stat(taken)))?.size;
  }

  async delete(keys: ReadonlySet<BlobKey>): Promise<void> {
    const remove = (folder: string, name: string) => this.#ifThere(unlink(join(folder, name)));
    const removeIdle = () => Promise.all([...keys].map((key) => remove(this.folder, key)));
    await removeIdle();
    const names = await this.takenNames();
    await Promise.all(
      names.filter((name) => keys.has(keyOf(name))).map((name) => remove(this.writingFolder, name)),
    );
    // What was given back between the two looks.
    await removeIdle();
  }

  async takenNames(): Promise<readonly string[]> {
    return (await this.#ifThere(readdir(this.writingFolder))) ?? [];
  }

  async #durableSizeOfTaken(key: BlobKey): Promise<number | undefined> {
    const taken = await this.#takenPath(key);
    if (taken === undefined) return undefined;
    const size = (await this.#ifThere(stat(taken)))?.size;
    await this.#ifThere(flushFile(taken));
    await flushFolder(this.writingFolder);
    return size;
  }

  /** The longest, if a crash has left several. */
  async #takenPath(key: BlobKey): Promise<string | undefined> {
    let longest: { path: string; size: number } | undefined;
    for (const name of await this.takenNames()) {
      if (keyOf(name) !== key || name.endsWith(copying)) continue;
      const path = join(this.writingFolder, name);
      const size = (await this.#ifThere(stat(path)))?.size;
      if (size !== undefined && size >= (longest?.size ?? 0)) longest = { path, size };
    }
    return longest?.path;
  }

  async #moved(from: string, to: string): Promise<boolean> {
    return (await this.#ifThere(rename(from, to).then(() => true))) ?? false;
  }
}

/** The key that a file's name begins with. */
export function keyOf(name: string): BlobKey {
  return name.split('.', 1)[0] ?? '';
}

function takenOver(key: BlobKey): LazaretError {
  return new LazaretError('conflict', 'another process has gone on with the blob meanwhile', {
    detail: { key },
  });
}

/** Puts a copy in the place of a file that another process may still have open. */
async function leaveBehind(path: string): Promise<void> {
  const copy = `${path}${copying}`;
  try {
    await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await flushFile(copy);
    await rename(copy, path);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}
