import assert from 'node:assert/strict';
import { sql, type Transaction } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import type { NewEvent } from '../log/event.ts';
import type { Tx } from './database.ts';
import type { Engine } from './engine.ts';
import { keptQuery } from './kept-query.ts';
import type { Tables } from './tables.ts';

/** In PostgreSQL, appenders of one database take turns from here to their commit, so that a follower can't skip a late one. */
const logLock = 7_205_759;

export interface TransactionOptions {
  readonly engine: Engine;
  readonly region: string;
  readonly epoch: string;
  readonly clock: Clock;
  /** See `TransactOptions`. */
  readonly mayBeLost: boolean;
}

export interface OpenTransaction {
  readonly tx: Tx;
  /** Whether there is anything to append. */
  emits(): boolean;
  /** Appends what was emitted; the transaction's last statement. @returns whether anyone should be woken */
  finish(): Promise<boolean>;
}

export function beginTransaction(db: Transaction<Tables>, options: TransactionOptions): OpenTransaction {
  const emitted: NewEvent[] = [];
  let woken = false;
  let orderHeld = false;
  const nowMs = options.clock.wallMs();
  const holdOrder = async () => {
    if (!orderHeld && options.engine === 'postgres')
      await sql`select pg_advisory_xact_lock(${logLock})`.execute(db);
    orderHeld = true;
  };
  const tx: Tx = {
    engine: options.engine,
    db,
    nowMs,
    region: options.region,
    emit: (event) => {
      assert(!options.mayBeLost, 'the log is never lost');
      emitted.push(event);
    },
    nextVersion: async () => {
      await holdOrder();
      return (await head(db)) + 1;
    },
    wake: () => {
      woken = true;
    },
  };
  const finish = async () => {
    if (emitted.length === 0) return woken;
    await holdOrder();
    const after = await head(db);
    const rows = emitted.map((event, index) => logRow(event, after + 1 + index, nowMs, options));
    for (const row of rows) await db.insertInto('log').values(row).execute();
    return true;
  };
  return { tx, emits: () => emitted.length > 0, finish };
}

async function head(db: Transaction<Tables>): Promise<number> {
  const [row] = await heads(db, {});
  return Number(row?.head ?? 0);
}

const heads = keptQuery((db) => db.selectFrom('log').select((e) => e.fn.max('position').as('head')));

function logRow(event: NewEvent, position: number, at: number, options: TransactionOptions) {
  return {
    position,
    event_id: `${options.region}/${options.epoch}/${position}`,
    origin: options.region,
    type: event.type,
    lane: event.lane,
    at,
    account: event.account ?? null,
    subject: event.subject,
    actor: event.actor,
    cause: event.cause ?? null,
    data: JSON.stringify(event.data),
    hash: null,
  };
}
