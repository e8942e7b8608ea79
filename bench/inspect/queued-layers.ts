/**
 * Layers that a running server has and has yet to read, as often as one likes: their blobs are put into its store, their
 * rows into its SQLite file, as pushes leave them. Nothing of the product writes this way.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { keyInTime } from '../../src/lib/random.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';

export class QueuedLayers implements Disposable {
  readonly #database: BetterSqlite3.Database;
  readonly #blobs: string;
  readonly #digests: string[] = [];

  /** @param data the data folder of a server, which may be running */
  constructor(data: string) {
    this.#database = new BetterSqlite3(join(data, 'metadata.sqlite'), { timeout: 10_000 });
    this.#blobs = join(data, 'blobs', 'blobs');
  }

  /** Copies of one layer, as so many layers. Their digests are nobody's: an inspection does not ask. */
  async add(layer: Buffer, count: number): Promise<void> {
    const blob = this.#database.prepare(
      "insert into blobs (digest, size_bytes, storage_key, state, stored_at) values (?, ?, ?, 'live', ?)",
    );
    for (let number = 0; number < count; number++) {
      const key = keyInTime(Date.now());
      await mkdir(join(this.#blobs, key.slice(0, 7)), { recursive: true });
      await writeFile(join(this.#blobs, key.slice(0, 7), key), layer);
      const digest = `sha256:${randomBytes(32).toString('hex')}`;
      blob.run(digest, layer.length, key, Date.now());
      this.#digests.push(digest);
    }
  }

  /** All of them are to be read. */
  fill(): void {
    const row = this.#database.prepare(
      `insert into jobs (kind, key, payload, state, priority, run_at, attempts, created_at)
        values ('inspect', ?, ?, 'queued', 0, 0, 0, 0) on conflict do nothing`,
    );
    const inspection = this.#database.prepare(
      'delete from inspections where blob_id = (select id from blobs where digest = ?)',
    );
    this.#database.transaction(() => {
      for (const digest of this.#digests) {
        inspection.run(digest);
        row.run(digest, JSON.stringify({ digest, mediaType: mediaTypes.ociLayerGzip }));
      }
    })();
  }

  /** Those that wait need not be read. */
  clear(): void {
    this.#database
      .prepare(`delete from jobs where state = 'queued' and ${ofThese}`)
      .run(JSON.stringify(this.#digests));
  }

  left(): number {
    return this.#count('queued');
  }

  running(): number {
    return this.#count('running');
  }

  #count(state: 'queued' | 'running'): number {
    const row = this.#database.prepare<[string, string], { count: number }>(
      `select count(*) as count from jobs where state = ? and ${ofThese}`,
    );
    return row.get(state, JSON.stringify(this.#digests))?.count ?? 0;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

const ofThese = "kind = 'inspect' and key in (select value from json_each(?))";
