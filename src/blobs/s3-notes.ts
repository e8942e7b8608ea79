import type { NoteStore } from './blob-store.ts';
import type { S3Requests } from './s3-client.ts';
import { assertNoteName } from './store-rules.ts';

/** Notes as objects below `notes/`, named as they are. */
export class S3Notes implements NoteStore {
  readonly #requests: S3Requests;
  readonly #assertThere: () => Promise<void>;

  constructor(requests: S3Requests, assertThere: () => Promise<void>) {
    this.#requests = requests;
    this.#assertThere = assertThere;
  }

  async put(name: string, text: string): Promise<void> {
    assertNoteName(name);
    await this.#requests.put(`notes/${name}`, Buffer.from(text));
  }

  async get(name: string): Promise<string | undefined> {
    assertNoteName(name);
    const note = await this.#requests.get(`notes/${name}`);
    if (note === undefined) await this.#assertThere();
    return note && Buffer.from(note.body).toString('utf8');
  }

  async names(prefix: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.#requests.list(`notes/${prefix}`))
      names.push(name.slice('notes/'.length));
    if (names.length === 0) await this.#assertThere();
    return names.sort();
  }
}
