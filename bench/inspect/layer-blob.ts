import { randomBytes } from 'node:crypto';
import type { Database } from '../../src/records/db/database.ts';

/** The row of another layer, whose bytes are nowhere. @returns its id */
export function layerBlob(database: Database): Promise<number> {
  return database.transact(async ({ db }) => {
    const digest = `sha256:${randomBytes(32).toString('hex')}`;
    const row = { digest, size_bytes: 1, storage_key: null, state: 'live' as const, stored_at: 0 };
    return (await db.insertInto('blobs').values(row).returning('id').executeTakeFirstOrThrow()).id;
  });
}
