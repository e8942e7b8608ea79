import { type FileHandle, open } from 'node:fs/promises';
import { LazaretError } from '../../lib/errors.ts';
import { shared } from '../../lib/shared.ts';

/**
 * The write-ahead log of a SQLite file, to be flushed by a thread instead of inside a commit, which holds up the process.
 * Commits are written one after the other, so a flush is of all that were made before it began.
 *
 * After a flush that failed the kernel no longer knows which bytes are on the disk, and a later one would say that all
 * are. So from then on nothing is written, until the server is started again: SQLite then reads the log up to the first
 * commit that is not whole.
 */
export class SqliteLog {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #failure: LazaretError | undefined;
  /** @throws unavailable */
  readonly flush: () => Promise<void>;

  constructor(file: string) {
    this.#path = `${file}-wal`;
    this.flush = shared(() => this.#flush());
  }

  /** @throws unavailable once a flush has failed */
  assertSound(): void {
    if (this.#failure) throw this.#failure;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  async #flush(): Promise<void> {
    this.assertSound();
    try {
      // It is there from the first commit on, and the same file until the last connection is closed.
      this.#handle ??= await open(this.#path, 'r');
      await this.#handle.datasync();
    } catch (cause) {
      const message = 'the disk failed to keep the metadata; the server has to be started again';
      this.#failure = new LazaretError('unavailable', message, { cause });
      throw this.#failure;
    }
  }
}
