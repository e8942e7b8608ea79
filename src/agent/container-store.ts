import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checked } from '../contract/check.ts';
import { LazaretError } from '../lib/errors.ts';
import { type LocalContainer, localContainerSchema } from './local-container.ts';

/** The agent's memory: one file for each container, replaced as a whole, in `DATA/containers`. */
export class ContainerStore {
  readonly #folder: string;
  readonly #containers = new Map<string, LocalContainer>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws invalid, naming the file that can't be read */
  static async open(dataFolder: string): Promise<ContainerStore> {
    const store = new ContainerStore(join(dataFolder, 'containers'));
    await mkdir(store.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(store.#folder)) {
      if (!name.endsWith('.json')) continue;
      const container = await readRecord(join(store.#folder, name));
      store.#containers.set(container.uid, container);
    }
    return store;
  }

  /** In the order of their uids. */
  list(): LocalContainer[] {
    return [...this.#containers.values()].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  }

  get(uid: string): LocalContainer | undefined {
    return this.#containers.get(uid);
  }

  /** Known at once, also if the file can't be written; the file when it resolves. */
  async set(container: LocalContainer): Promise<void> {
    this.#containers.set(container.uid, container);
    const file = this.#file(container.uid);
    const temporary = `${file}.tmp`;
    await writeFile(temporary, JSON.stringify(container), { mode: 0o600 });
    await rename(temporary, file);
  }

  async delete(uid: string): Promise<void> {
    this.#containers.delete(uid);
    await rm(this.#file(uid), { force: true });
  }

  #file(uid: string): string {
    return join(this.#folder, `${uid}.json`);
  }
}

async function readRecord(file: string): Promise<LocalContainer> {
  try {
    return await checked(localContainerSchema, JSON.parse(await readFile(file, 'utf8')), {
      where: 'container',
    });
  } catch (cause) {
    throw new LazaretError('invalid', `${file} is not the record of a container`, { cause });
  }
}
