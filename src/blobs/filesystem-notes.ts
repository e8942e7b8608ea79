import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NoteStore } from './blob-store.ts';
import { asUnavailable, isSystemCode, writeWhole } from './durable-files.ts';
import { assertNoteName } from './store-rules.ts';

/**
 * Notes as files of one flat folder. A name's `/` is written `+`, which no name contains: so a note `a` and a note
 * `a/b` live side by side, and no folder per part has to be made durable.
 */
export class FilesystemNotes implements NoteStore {
  readonly #folder: string;
  readonly #assertStoreThere: () => Promise<void>;

  constructor(folder: string, assertStoreThere: () => Promise<void>) {
    this.#folder = folder;
    this.#assertStoreThere = assertStoreThere;
  }

  async put(name: string, text: string): Promise<void> {
    const path = this.#path(name);
    await translated('to write a note', () => writeWhole(path, text, { replace: true }));
  }

  async get(name: string): Promise<string | undefined> {
    const path = this.#path(name);
    return translated('to read a note', async () => {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (!isSystemCode(error, 'ENOENT')) throw error;
        await this.#assertStoreThere();
        return undefined;
      }
    });
  }

  async names(prefix: string): Promise<string[]> {
    const files = await translated('to list notes', () => readdir(this.#folder));
    return files
      .filter((file) => !file.startsWith('.'))
      .map((file) => file.replaceAll('+', '/'))
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  #path(name: string): string {
    assertNoteName(name);
    return join(this.#folder, name.replaceAll('/', '+'));
  }
}

async function translated<T>(doing: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw asUnavailable(doing, error);
  }
}
