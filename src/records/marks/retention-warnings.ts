import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** A quarantine whose retention ends soon, and which has not been warned of yet, so many days before or fewer. */
export interface EndingQuarantine {
  readonly uid: string;
  readonly name: string;
  readonly retainUntil: number;
}

/** Of the quarantines that `region` set, soonest first. A released, held or destroyed one is not warned of. */
export async function quarantinesEnding(
  db: Reader,
  ask: { readonly region: string; readonly nowMs: number; readonly untilMs: number; readonly days: number },
  limit: number,
): Promise<EndingQuarantine[]> {
  const rows = await db
    .selectFrom('quarantines')
    .select(['uid', 'name', 'retain_until'])
    .where('origin', '=', ask.region)
    .where('released_at', 'is', null)
    .where('destroy_requested_at', 'is', null)
    .where('legal_hold', '=', 0)
    .where('retain_until', '>', ask.nowMs)
    .where('retain_until', '<=', ask.untilMs)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('retention_warnings')
            .select('days')
            .whereRef('retention_warnings.quarantine_uid', '=', 'quarantines.uid')
            .whereRef('retention_warnings.retain_until', '=', 'quarantines.retain_until')
            .where('retention_warnings.days', '<=', ask.days),
        ),
      ),
    )
    .orderBy('retain_until')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ uid: row.uid, name: row.name, retainUntil: row.retain_until }));
}

/** @returns false if it was warned of before */
export async function retentionWarned(
  tx: Tx,
  warning: { readonly quarantineUid: string; readonly retainUntil: number; readonly days: number },
): Promise<boolean> {
  const result = await tx.db
    .insertInto('retention_warnings')
    .values({
      quarantine_uid: warning.quarantineUid,
      retain_until: warning.retainUntil,
      days: warning.days,
      warned_at: tx.nowMs,
    })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}
