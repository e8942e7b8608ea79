/**
 * Rows written straight into a server's SQLite file, as pushes and deletions would have left them: so a million blobs
 * take a minute, not a day. Nothing of the product writes this way.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as others } from 'node:timers/promises';
import { promisify } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';
import { keyInTime } from '../../src/lib/random.ts';

const day = 24 * 3_600_000;
/** Blobs in one transaction, so that the server does not wait for long. */
const chunk = 20_000;
const repositories = 100;
const layersPerImage = 9;

/** A row per number from 1 to `n`. */
const numbered = 'with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?)';
const someDigest = "'sha256:' || lower(hex(randomblob(32)))";
/** As the product makes them: in the order of time. */
const someKey = "printf('%012x', ? + n) || lower(hex(randomblob(10)))";

export class SeededRows implements Disposable {
  readonly #database: BetterSqlite3.Database;
  readonly #blobs: string;

  /** @param data the data folder of a server, which may be running */
  constructor(data: string) {
    this.#database = new BetterSqlite3(join(data, 'metadata.sqlite'));
    this.#blobs = join(data, 'blobs', 'blobs');
    // A crash may lose what a benchmark has made up; the server's own connection flushes as ever.
    this.#database.pragma('synchronous = OFF');
    this.#database.pragma('cache_size = -400000');
    const account = this.#database.prepare<[], { id: number }>('select id from accounts limit 1').get();
    const home = this.#database.prepare<[], { value: string }>(
      "select value from settings where key = 'region'",
    );
    this.#run(
      `${numbered} insert into repositories (name, account_id, home_region, created_at)
        select 'bench/seeded-' || n, ?, ?, 0 from numbers where true on conflict do nothing`,
      repositories,
      account?.id ?? 0,
      home.get()?.value ?? '',
    );
  }

  /** Uploads that nothing came to need, with their files, due for review since yesterday. */
  async strays(count: number, sizeBytes: number): Promise<void> {
    const keys = Array.from({ length: count }, () => keyInTime(Date.now()));
    const bytes = randomBytes(sizeBytes);
    for (const folder of new Set(keys.map((key) => key.slice(0, 7))))
      await mkdir(join(this.#blobs, folder), { recursive: true });
    for (let at = 0; at < count; at += 100)
      await Promise.all(
        keys.slice(at, at + 100).map((key) => writeFile(join(this.#blobs, key.slice(0, 7), key), bytes)),
      );
    const blob = this.#database.prepare(
      "insert into blobs (digest, size_bytes, storage_key, state, stored_at) values (?, ?, ?, 'live', 0)",
    );
    const link = this.#database.prepare(
      'insert into blob_links (repository_id, blob_id, linked_at) values (?, ?, 0)',
    );
    const review = this.#database.prepare(
      "insert into review_queue (kind, digest, changed_at, reason) values ('blob', ?, ?, 'uploaded')",
    );
    const repository = this.#firstRepository();
    this.#database
      .transaction(() => {
        for (const key of keys) {
          const digest = `sha256:${randomBytes(32).toString('hex')}`;
          const { lastInsertRowid } = blob.run(digest, sizeBytes, key);
          link.run(repository, lastInsertRowid);
          review.run(digest, Date.now() - 2 * day);
        }
      })
      .immediate();
    await this.#flush();
  }

  /** Whatever was written so far is on the disk: else the server's next flush would wait for it. */
  async #flush(): Promise<void> {
    await promisify(execFile)('sync', ['-f', this.#blobs]);
  }

  /** How many blobs that are due wait for review or deletion. */
  waiting(): number {
    const row = this.#database
      .prepare<[number], { n: number }>(
        'select (select count(*) from review_queue where changed_at < ?) + (select count(*) from condemned_keys) as n',
      )
      .get(Date.now() - day);
    return row?.n ?? 0;
  }

  /** A layer under so many inspected images, each with a layer and a config of its own. @returns its digest */
  async base(images: number): Promise<string> {
    const digest = `sha256:${randomBytes(32).toString('hex')}`;
    const diffId = `sha256:${randomBytes(32).toString('hex')}`;
    const added = this.#database
      .prepare(
        "insert into blobs (digest, size_bytes, storage_key, state, stored_at) values (?, 4096, ?, 'live', 0)",
      )
      .run(digest, keyInTime(Date.now()));
    this.#run(
      `insert into inspections (blob_id, state, diff_id, uncompressed_bytes, entries, duration_ms, version, inspected_at)
        values (?, 'done', ?, 0, 0, 0, 1, 0)`,
      Number(added.lastInsertRowid),
      diffId,
    );
    await this.#images(images, { layersEach: 1, base: { digest, diffId } });
    return digest;
  }

  /** Images with blobs of their own, until there are so many blobs. */
  async blobs(count: number): Promise<void> {
    await this.#images(Math.ceil(count / (layersPerImage + 1)), { layersEach: layersPerImage });
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
    await this.#flush();
  }

  /** So many images, each a config and a tag. */
  async manifests(count: number): Promise<void> {
    await this.#images(count, { layersEach: 0 });
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
    await this.#flush();
  }

  /** Of a quarantine by its name. */
  written(quarantine: string): { marks: number; events: number } {
    const count = (text: string) =>
      this.#database.prepare<[string], { n: number }>(text).get(quarantine)?.n ?? 0;
    return {
      marks: count(
        'select count(*) as n from marks join quarantines on quarantines.id = quarantine_id where name = ?',
      ),
      events: count('select count(*) as n from log where subject = ?'),
    };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  async #images(
    count: number,
    { layersEach, base }: { layersEach: number; base?: { digest: string; diffId: string } },
  ): Promise<void> {
    const most = chunk / (layersEach + 1);
    for (let left = count; left > 0; left -= most) {
      const images = Math.min(left, most);
      this.#database.transaction(() => this.#imagesAtOnce(images, layersEach, base)).immediate();
      await others();
    }
  }

  #imagesAtOnce(images: number, layersEach: number, base?: { digest: string; diffId: string }): void {
    const before = this.#last('manifests');
    const repository = this.#firstRepository();
    this.#run(
      `${numbered} insert into manifests (digest, kind, media_type, size_bytes, body, created_at)
        select ${someDigest}, 'image', 'application/vnd.oci.image.manifest.v1+json', 2, '{}', 0 from numbers`,
      images,
    );
    this.#run(
      `insert into repository_manifests (repository_id, manifest_id, pushed_at, pushed_by)
        select ? + id % ?, id, 0, 'bench' from manifests where id > ?`,
      repository,
      repositories,
      before,
    );
    this.#run(
      `insert into tags (repository_id, name, manifest_id, updated_at, updated_by)
        select ? + id % ?, 'v' || id, id, 0, 'bench' from manifests where id > ?`,
      repository,
      repositories,
      before,
    );
    this.#run(
      "insert into images (manifest_id, state) select id, 'done' from manifests where id > ?",
      before,
    );
    const blobsBefore = this.#last('blobs');
    this.#run(
      `${numbered} insert into blobs (digest, size_bytes, storage_key, state, stored_at)
        select ${someDigest}, 4096, ${someKey}, 'live', 0 from numbers`,
      images * (layersEach + 1),
      Date.now(),
    );
    // The blobs of an image lie side by side: first its config, then its layers.
    const width = layersEach + 1;
    const offset = `(id - ${blobsBefore + 1})`;
    const manifest = `${before + 1} + ${offset} / ${width}`;
    this.#run(
      `insert into edges (manifest_id, kind, position, digest, media_type, size_bytes)
        select ${manifest}, iif(${offset} % ${width} = 0, 'config', 'layer'), ${offset} % ${width}, digest,
          'application/octet-stream', 4096 from blobs where id > ?`,
      blobsBefore,
    );
    this.#run(
      `insert into blob_links (repository_id, blob_id, linked_at)
        select ? + (${manifest}) % ?, id, 0 from blobs where id > ?`,
      repository,
      repositories,
      blobsBefore,
    );
    if (base)
      this.#run(
        `insert into edges (manifest_id, kind, position, digest, media_type, size_bytes, diff_id)
          select id, 'layer', 100, ?, 'application/vnd.oci.image.layer.v1.tar+gzip', 4096, ? from manifests where id > ?`,
        base.digest,
        base.diffId,
        before,
      );
  }

  #firstRepository(): number {
    const row = this.#database
      .prepare<[], { id: number }>("select min(id) as id from repositories where name like 'bench/seeded-%'")
      .get();
    return row?.id ?? 0;
  }

  #last(table: 'blobs' | 'manifests'): number {
    const row = this.#database.prepare<[], { id: number | null }>(`select max(id) as id from ${table}`).get();
    return row?.id ?? 0;
  }

  #run(text: string, ...values: readonly (string | number)[]): void {
    this.#database.prepare(text).run(...values);
  }
}
