import { sql } from 'kysely';
import { blobNeeds } from '../collection/blob-needs.ts';
import type { Reader } from '../db/engine.ts';
import { logHead } from '../log/log.ts';

/** What a copy of the metadata says of itself. */
export interface CopyFacts {
  readonly region: string;
  readonly epoch: string;
  /** The position of the newest event in it. */
  readonly head: number;
  readonly migrations: readonly string[];
  readonly blobs: number;
  readonly manifests: number;
  readonly quarantines: number;
}

export async function copyFacts(db: Reader): Promise<CopyFacts> {
  const settings = await db
    .selectFrom('settings')
    .selectAll()
    .where('key', 'in', ['epoch', 'region'])
    .execute();
  const setting = (key: string) => settings.find((row) => row.key === key)?.value ?? '';
  const migrations = await db.selectFrom('migrations').select('name').orderBy('name').execute();
  const { rows } = await sql<{ blobs: number; manifests: number; quarantines: number }>`select
    (select count(*) from blobs where storage_key is not null) as blobs,
    (select count(*) from manifests) as manifests, (select count(*) from quarantines) as quarantines`.execute(
    db,
  );
  const counts = rows[0];
  return {
    region: setting('region'),
    epoch: setting('epoch'),
    head: await logHead(db),
    migrations: migrations.map((row) => row.name),
    blobs: Number(counts?.blobs ?? 0),
    manifests: Number(counts?.manifests ?? 0),
    quarantines: Number(counts?.quarantines ?? 0),
  };
}

export interface CopyBlob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly storageKey: string;
}

/** Every blob with bytes in this region, in pages. */
export async function* copyBlobs(db: Reader, pageRows = 500): AsyncGenerator<readonly CopyBlob[]> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('blobs')
      .select(['id', 'digest', 'size_bytes', 'storage_key'])
      .where('id', '>', after)
      .where('storage_key', 'is not', null)
      .orderBy('id')
      .limit(pageRows)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    after = last.id;
    yield rows.map((row) => ({
      digest: row.digest,
      sizeBytes: row.size_bytes,
      storageKey: row.storage_key ?? '',
    }));
  }
}

/** Whether anything in the copy would miss the blob; if not, the collector may have taken it meanwhile. */
export async function copyNeeds(db: Reader, digest: string): Promise<boolean> {
  return (await blobNeeds(db, digest, 0))?.needed ?? false;
}
