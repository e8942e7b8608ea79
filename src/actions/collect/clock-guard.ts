import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import {
  type ClockReading,
  type ClockSuspicion,
  clockSeen,
  clockSeenKeep,
  clockSuspicion,
  clockSuspicionEnd,
  clockSuspicionKeep,
} from '../../records/collection/collector-state.ts';
import type { Database } from '../../records/db/database.ts';

/**
 * Graces, holds and retentions are kept in wall time, so a clock that was set forward would end them all at once. Each
 * machine compares its two clocks with what it saw last: the boot clock can't be set.
 *
 *   trusted ── wall time gained over an hour on the boot clock, or went back ──► suspect
 *   suspect ── a grace has passed on that machine's boot clock, or an operator confirms ──► trusted
 *
 * While it is suspect nothing is condemned and nothing expires. After a restart of the machine its boot clock says
 * nothing about the time before: then only a wall time that went back is noticed.
 */
export interface ClockGuardDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly graceMs: number;
  /** The machine whose clock it is; servers of a region may run on several. */
  readonly machine?: string;
}

/** Pure: what is wrong with the clock now, given what was seen before. */
export function clockComplaint(seen: ClockReading, now: ClockReading): string | undefined {
  const restarted = now.bootMs < seen.bootMs;
  const gainedMs = now.wallMs - seen.wallMs - (restarted ? 0 : now.bootMs - seen.bootMs);
  if (gainedMs < -limits.clockBackMs) return `wall time went back by ${seconds(-gainedMs)} s`;
  if (!restarted && gainedMs > limits.clockGainMs)
    return `wall time gained ${seconds(gainedMs)} s on the boot clock`;
  return undefined;
}

/** Pure: the grace has passed since, on the clock that can't be set. A restart of the machine begins it anew. */
export function suspicionWaitedOut(suspicion: ClockSuspicion, now: ClockReading, graceMs: number): boolean {
  const sinceMs = now.bootMs < suspicion.at.bootMs ? 0 : suspicion.at.bootMs;
  return now.bootMs - sinceMs >= graceMs;
}

/** Looks at the clocks and keeps what was seen. @returns why they are not to be trusted now */
export async function clockDoubt(deps: ClockGuardDeps): Promise<string | undefined> {
  const { database, clock, graceMs, machine = 'this' } = deps;
  const now = { wallMs: clock.wallMs(), bootMs: clock.bootMs() };
  const seen = await clockSeen(database.read, machine);
  const complaint = seen && clockComplaint(seen, now);
  if (complaint !== undefined) {
    const suspicion = { reason: complaint, machine, at: now };
    await suspect(database, suspicion);
    return complaint;
  }
  if (!seen || now.bootMs < seen.bootMs || now.bootMs - seen.bootMs >= limits.clockLookMs)
    await database.transact((tx) => clockSeenKeep(tx, machine, now));
  const suspicion = await clockSuspicion(database.read);
  if (!suspicion) return undefined;
  if (suspicion.machine !== machine || !suspicionWaitedOut(suspicion, now, graceMs)) return suspicion.reason;
  await clockConfirm(deps, 'collector', 'a grace has passed since');
  return undefined;
}

/** The clock is right as it is. @returns whether it was in doubt */
export function clockConfirm(
  { database }: Pick<ClockGuardDeps, 'database'>,
  actor: string,
  reason = 'an operator said so',
): Promise<boolean> {
  return database.transact(async (tx) => {
    const ended = await clockSuspicionEnd(tx);
    if (ended) tx.emit({ type: 'clock.confirmed', lane: 'local', subject: 'clock', actor, data: { reason } });
    return ended;
  });
}

async function suspect(database: Database, suspicion: ClockSuspicion): Promise<void> {
  await database.transact(async (tx) => {
    await clockSuspicionKeep(tx, suspicion);
    await clockSeenKeep(tx, suspicion.machine, suspicion.at);
    const { reason, machine } = suspicion;
    const data = { reason, machine };
    tx.emit({ type: 'clock.suspected', lane: 'local', subject: 'clock', actor: 'collector', data });
  });
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
