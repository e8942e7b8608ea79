import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';

/** A scan that was answered: its question, when, at which position of the log, and the answer, as JSON. */
export interface StoredScan {
  readonly name: string;
  readonly criteria: unknown;
  readonly scope: unknown;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly position: number;
  /** JSON, as `actions/scan` made it. */
  readonly answer: string;
}

/** @returns its name, `S-31` */
export async function scanKeep(tx: Tx, scan: Omit<StoredScan, 'name' | 'requestedAt'>): Promise<string> {
  const name = `S-${await nextNumber(tx, 'scans')}`;
  await tx.db
    .insertInto('scans')
    .values({
      name,
      criteria: JSON.stringify(scan.criteria),
      scope: JSON.stringify(scan.scope),
      requested_by: scan.requestedBy,
      requested_at: tx.nowMs,
      position: scan.position,
      answer: scan.answer,
    })
    .execute();
  return name;
}

export async function scanGet(db: Reader, name: string): Promise<StoredScan | undefined> {
  const row = await db.selectFrom('scans').selectAll().where('name', '=', name).executeTakeFirst();
  if (!row) return undefined;
  return {
    name: row.name,
    criteria: JSON.parse(row.criteria),
    scope: JSON.parse(row.scope),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    position: row.position,
    answer: row.answer,
  };
}
