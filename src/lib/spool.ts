/**
 * One temporary file, for what is too large for memory and whose format needs seeking. Made when it is first needed, and
 * without a name from then on, so that nothing is left of it however the process ends. One content at a time; how long it
 * may become its owner sees to.
 */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LazaretError } from './errors.ts';
import { randomKey } from './random.ts';

export class Spool {
  readonly #folder: string;
  #file: number | undefined;
  #bytes = 0;

  /** @param folder must be there, with room for the largest content */
  constructor(folder: string = tmpdir()) {
    this.#folder = folder;
  }

  /** Forgets what it has. */
  clear(): void {
    if (this.#bytes === 0) return;
    this.#bytes = 0;
    this.#attempt(() => ftruncateSync(this.#opened()));
  }

  /** @throws unavailable when the disk fails or is full */
  append(bytes: Uint8Array): void {
    this.#attempt(() => {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#opened(), bytes, at, bytes.length - at, this.#bytes);
        at += written;
        this.#bytes += written;
      }
    });
  }

  /** `length` bytes from `offset` on, which must be there. @throws unavailable when the disk fails */
  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length);
    this.#attempt(() => {
      for (let at = 0; at < length; ) {
        const got = readSync(this.#opened(), bytes, at, length - at, offset + at);
        if (got === 0) throw new Error(`it ends at byte ${offset + at}`);
        at += got;
      }
    });
    return bytes;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#bytes = 0;
  }

  #opened(): number {
    if (this.#file === undefined) {
      const path = join(this.#folder, `lazaret-spool-${randomKey()}`);
      this.#file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    }
    return this.#file;
  }

  /** Not the file's fault: worth another try. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (cause) {
      throw new LazaretError('unavailable', 'a large file can not be put on disk', { cause });
    }
  }
}
