import type { Selectable } from 'kysely';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { LogTable } from '../db/tables/log.ts';
import type { Lane, LogEvent } from './event.ts';

/** The one ordered log. Appending is `tx.emit`; here is reading it, and what followers keep. */

/** The position of the newest event, 0 of an empty log. */
export async function logHead(db: Reader): Promise<number> {
  const row = await db
    .selectFrom('log')
    .select((e) => e.fn.max('position').as('head'))
    .executeTakeFirst();
  return Number(row?.head ?? 0);
}

/** The position of the newest event that `origin` made in a lane, 0 if there is none. */
export async function logHeadOfLane(
  db: Reader,
  { origin, lane }: { origin: string; lane: Lane },
): Promise<number> {
  const row = await db
    .selectFrom('log')
    .select((e) => e.fn.max('position').as('head'))
    .where('origin', '=', origin)
    .where('lane', '=', lane)
    .executeTakeFirst();
  return Number(row?.head ?? 0);
}

export interface LogFilter {
  readonly after: number;
  readonly limit: number;
  readonly lane?: Lane;
  /** Only events that this region made itself. */
  readonly origin?: string;
  readonly account?: string;
}

export async function logRead(db: Reader, filter: LogFilter): Promise<LogEvent[]> {
  let query = db.selectFrom('log').selectAll().where('position', '>', filter.after);
  if (filter.lane) query = query.where('lane', '=', filter.lane);
  if (filter.origin) query = query.where('origin', '=', filter.origin);
  if (filter.account) query = query.where('account', '=', filter.account);
  const rows = await query.orderBy('position').limit(filter.limit).execute();
  return rows.map(logEvent);
}

/** Everything that was said about `subject`, oldest first. */
export async function logOfSubject(db: Reader, subject: string, limit: number): Promise<LogEvent[]> {
  const rows = await db
    .selectFrom('log')
    .selectAll()
    .where('subject', '=', subject)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map(logEvent);
}

function logEvent(row: Selectable<LogTable>): LogEvent {
  return {
    position: row.position,
    id: row.event_id,
    origin: row.origin,
    type: row.type,
    lane: row.lane,
    at: row.at,
    account: row.account,
    subject: row.subject,
    actor: row.actor,
    cause: row.cause,
    data: JSON.parse(row.data),
  };
}

/**
 * Keeps an event of another region, under its own id and origin, so that it is never followed onward.
 * @returns false if it is here already
 */
export async function logKeepFollowed(tx: Tx, event: Omit<LogEvent, 'position'>): Promise<boolean> {
  const head = await tx.nextVersion();
  const result = await tx.db
    .insertInto('log')
    .values({
      position: head,
      event_id: event.id,
      origin: event.origin,
      type: event.type,
      lane: event.lane,
      at: event.at,
      account: event.account,
      subject: event.subject,
      actor: event.actor,
      cause: event.cause,
      data: JSON.stringify(event.data),
      hash: null,
    })
    .onConflict((c) => c.column('event_id').doNothing())
    .executeTakeFirst();
  tx.wake();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}

export async function cursorGet(db: Reader, follower: string): Promise<number> {
  const row = await db
    .selectFrom('cursors')
    .select('position')
    .where('follower', '=', follower)
    .executeTakeFirst();
  return row?.position ?? 0;
}

export async function cursorSet(tx: Tx, follower: string, position: number): Promise<void> {
  await tx.db
    .insertInto('cursors')
    .values({ follower, position })
    .onConflict((c) => c.column('follower').doUpdateSet({ position }))
    .execute();
}
