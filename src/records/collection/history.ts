import { sql } from 'kysely';
import { Field } from '../../lib/fields.ts';
import type { Database } from '../db/database.ts';

/** What the log remembers of a blob that the collector took. */
export interface BlobHistory {
  /** `condemned`: from then on no door knew it. `collected`: its bytes were deleted. */
  readonly what: 'condemned' | 'collected';
  readonly at: number;
  readonly actor: string;
  /** Why it was looked at, or the quarantine whose retention ended; null of a deletion. */
  readonly reason: string | null;
}

/** Newest first. Events of many blobs name them in their data, so this reads through the log: for people who ask. */
export async function blobHistory(database: Database, digest: string, limit: number): Promise<BlobHistory[]> {
  const rows = await database.search(
    sql<{ type: string; at: number; actor: string; data: string }>`select type, at, actor, data from log
      where type in ('blobs.condemned', 'blobs.collected') and data like ${`%"${digest}"%`}
      order by position desc limit ${limit}`.compile(database.read),
  );
  return rows.map((row) => ({
    what: row.type === 'blobs.condemned' ? 'condemned' : 'collected',
    at: Number(row.at),
    actor: row.actor,
    reason: reasonOf(row.data),
  }));
}

function reasonOf(text: string): string | null {
  const data = new Field(JSON.parse(text), 'data', 'internal');
  const quarantine = data.optional('quarantine')?.string();
  return quarantine === undefined
    ? (data.optional('reason')?.string() ?? null)
    : `the retention of ${quarantine} ended`;
}
