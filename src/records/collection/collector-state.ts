import { Field } from '../../lib/fields.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/**
 * What keeps the collector from its work, and what the clock guard knows: rows of `settings`, so that every server
 * process of a region obeys the same.
 */
const offKey = 'collector.off';
const suspectKey = 'clock.suspect';
const seenPrefix = 'clock.seen/';

/** Wall and boot clock of one machine, read together; milliseconds. */
export interface ClockReading {
  readonly wallMs: number;
  readonly bootMs: number;
}

export interface ClockSuspicion {
  /** What was seen, for a person. */
  readonly reason: string;
  /** Whose clock it was: only that machine can wait it out. */
  readonly machine: string;
  /** When, by both of its clocks. */
  readonly at: ClockReading;
}

/** Why the collector is off as a whole: the region was restored and not scrubbed since. */
export async function collectorOff(db: Reader): Promise<string | undefined> {
  return settingGet(db, offKey);
}

export function collectorTurnOff(tx: Tx, reason: string): Promise<void> {
  return settingSet(tx, offKey, reason);
}

/** @returns whether it was off */
export async function collectorTurnOn(tx: Tx): Promise<boolean> {
  return settingDelete(tx, offKey);
}

export async function clockSeen(db: Reader, machine: string): Promise<ClockReading | undefined> {
  const text = await settingGet(db, seenPrefix + machine);
  return text === undefined ? undefined : readingOf(new Field(JSON.parse(text), seenPrefix, 'internal'));
}

export function clockSeenKeep(tx: Tx, machine: string, reading: ClockReading): Promise<void> {
  return settingSet(tx, seenPrefix + machine, JSON.stringify(reading));
}

export async function clockSuspicion(db: Reader): Promise<ClockSuspicion | undefined> {
  const text = await settingGet(db, suspectKey);
  if (text === undefined) return undefined;
  const field = new Field(JSON.parse(text), suspectKey, 'internal');
  return {
    reason: field.member('reason').string(),
    machine: field.member('machine').string(),
    at: readingOf(field.member('at')),
  };
}

export function clockSuspicionKeep(tx: Tx, suspicion: ClockSuspicion): Promise<void> {
  return settingSet(tx, suspectKey, JSON.stringify(suspicion));
}

/** @returns whether there was one */
export function clockSuspicionEnd(tx: Tx): Promise<boolean> {
  return settingDelete(tx, suspectKey);
}

function readingOf(field: Field): ClockReading {
  const number = (name: string) => {
    const { value } = field.member(name);
    if (typeof value === 'number') return value;
    throw field.error(`${name} must be a number`);
  };
  return { wallMs: number('wallMs'), bootMs: number('bootMs') };
}

async function settingGet(db: Reader, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

async function settingSet(tx: Tx, key: string, value: string): Promise<void> {
  await tx.db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((c) => c.column('key').doUpdateSet({ value }))
    .execute();
}

async function settingDelete(tx: Tx, key: string): Promise<boolean> {
  const result = await tx.db.deleteFrom('settings').where('key', '=', key).executeTakeFirst();
  return result.numDeletedRows > 0;
}
