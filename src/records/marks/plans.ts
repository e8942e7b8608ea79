import type { Selectable } from 'kysely';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { PlanTable } from '../db/tables/quarantine.ts';
import type { RunningContainer } from '../scans/above.ts';
import type { Mark } from './quarantines.ts';
import type { ReachedLayer } from './reach.ts';

/** What would be done, and everything it would reach, at a position of the log. Applied once, or not at all. */
export interface Plan {
  readonly name: string;
  readonly effect: 'quarantine' | 'destroy' | 'retention';
  readonly request: PlanRequest;
  readonly radius: Radius;
  readonly position: number;
  /** Whose repositories it is over; null: the operator's, all. */
  readonly account: string | null;
  readonly author: string;
  readonly createdAt: number;
  readonly appliedAt: number | null;
  /** What it made, or (destroy, retention) what it changes. */
  readonly quarantineUid: string | null;
}

export interface PlanRequest {
  /** `S-31`, who named the marks, or the quarantine to change. */
  readonly cause: string;
  readonly criteria: unknown;
  readonly reach: 'layer' | 'image';
  readonly unknown: 'allow' | 'refuse';
  readonly retentionMs: number;
  /** Of a change of retention: until when the bytes are to be kept. */
  readonly retainUntil?: number;
  readonly marks: readonly Mark[];
}

/** The blast radius: every image on what is marked, and the containers of those that are refused. Sizes in bytes. */
export interface Radius {
  readonly layers: readonly ReachedLayer[];
  readonly images: readonly RadiusImage[];
  readonly regions: readonly string[];
  readonly containers: readonly RunningContainer[];
}

export interface RadiusImage {
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** What reach `image` makes of it; `undecided`: refused until its inspection has ended. */
  readonly reachImage: 'refused' | 'spared' | 'undecided';
}

/** @returns its name, `P-7` */
export async function planKeep(
  tx: Tx,
  plan: Omit<Plan, 'name' | 'createdAt' | 'appliedAt'>,
): Promise<string> {
  const name = `P-${await nextNumber(tx, 'plans')}`;
  await tx.db
    .insertInto('plans')
    .values({
      name,
      effect: plan.effect,
      request: JSON.stringify(plan.request),
      radius: JSON.stringify(plan.radius),
      position: plan.position,
      account: plan.account,
      author: plan.author,
      created_at: tx.nowMs,
      applied_at: null,
      quarantine_uid: plan.quarantineUid,
    })
    .execute();
  return name;
}

export async function planGet(db: Reader, name: string): Promise<Plan | undefined> {
  const row = await db.selectFrom('plans').selectAll().where('name', '=', name).executeTakeFirst();
  return row ? planOf(row) : undefined;
}

/** @returns false if it was applied before */
export async function planMarkApplied(tx: Tx, name: string, quarantineUid: string): Promise<boolean> {
  const result = await tx.db
    .updateTable('plans')
    .set({ applied_at: tx.nowMs, quarantine_uid: quarantineUid })
    .where('name', '=', name)
    .where('applied_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

function planOf(row: Selectable<PlanTable>): Plan {
  return {
    name: row.name,
    effect: row.effect,
    request: JSON.parse(row.request),
    radius: JSON.parse(row.radius),
    position: row.position,
    account: row.account,
    author: row.author,
    createdAt: row.created_at,
    appliedAt: row.applied_at,
    quarantineUid: row.quarantine_uid,
  };
}
