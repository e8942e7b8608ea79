import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { isMissing } from './folder-files.ts';

/** Which blob of which repository of which server an upload is for. */
export interface UploadKey {
  readonly url: string;
  readonly repository: string;
  readonly digest: string;
}

/** Remembers open uploads, so that an import that was cut goes on within them when it is begun again. */
export interface UploadJournal {
  /** @returns the server's address of the session, which may have ended */
  find(key: UploadKey): Promise<string | undefined>;
  keep(key: UploadKey, location: string): Promise<void>;
  forget(key: UploadKey): Promise<void>;
}

/** One small file per open upload. Sessions end by themselves after a day without a byte: so do the files. */
export class FileUploadJournal implements UploadJournal {
  readonly #folder: string;
  readonly #clock: Pick<Clock, 'wallMs'>;

  constructor(folder: string, clock: Pick<Clock, 'wallMs'>) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async find(key: UploadKey): Promise<string | undefined> {
    try {
      return (await readFile(this.#file(key), 'utf8')).trim() || undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new LazaretError('unavailable', `${this.#file(key)} can't be read`, { cause: error });
    }
  }

  async keep(key: UploadKey, location: string): Promise<void> {
    const file = this.#file(key);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(`${file}.tmp`, `${location}\n`, { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    } catch (cause) {
      throw new LazaretError('unavailable', `${file} can't be written`, { cause });
    }
  }

  async forget(key: UploadKey): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  /** Removes what is too old to be of use. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []); // nothing was ever kept
    for (const name of names) {
      const file = join(this.#folder, name);
      const found = await stat(file).catch(() => undefined); // another import was faster
      if (found && found.mtimeMs + limits.uploadIdleMs < this.#clock.wallMs())
        await rm(file, { force: true });
    }
  }

  #file({ url, repository, digest }: UploadKey): string {
    const name = createHash('sha256')
      .update(JSON.stringify([url, repository, digest]))
      .digest('hex');
    return join(this.#folder, name);
  }
}
