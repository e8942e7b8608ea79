import { type Kysely, sql } from 'kysely';
import type { Engine } from '../engine.ts';
import type { Tables } from '../tables.ts';

/**
 * A file's content in the layers of some images is found by one index, however many layers have it: on SQLite, where an
 * index ends with the row's key, it is so anyway. PostgreSQL does not plan by the statistics of an index over some of the
 * rows, so that it has to be told to count how often contents come.
 */
export async function up(db: Kysely<Tables>, engine: Engine): Promise<void> {
  if (engine === 'sqlite') return;
  for (const statement of [
    'drop index layer_files_sha256',
    'create index layer_files_sha256 on layer_files (substr(sha256, 1, 6), blob_id) where sha256 is not null',
    'create statistics layer_files_sha256_start on (substr(sha256, 1, 6)) from layer_files',
  ])
    await sql.raw(statement).execute(db);
}
