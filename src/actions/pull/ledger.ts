import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { type LedgerEntry, ledgerAdd, minuteOf } from '../../records/access/ledger.ts';
import type { Database } from '../../records/db/database.ts';

/**
 * Pulls and refusals, counted in memory outside the request's path and written by a task. A crash loses at most the
 * counts of one period; nothing decides by them. Beyond `limits.ledgerEntriesMax` what differs is not counted but
 * reported as dropped.
 */
export class PullLedger {
  readonly #clock: Clock;
  #entries = new Map<string, LedgerEntry>();
  #dropped = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(seen: Omit<LedgerEntry, 'minute' | 'count'>): void {
    this.add({ ...seen, minute: minuteOf(this.#clock.wallMs()), count: 1 });
  }

  add(entry: LedgerEntry): void {
    const key = [entry.minute, entry.principal, entry.repository, entry.digest, entry.verdict].join(' ');
    const before = this.#entries.get(key);
    if (!before && this.#entries.size >= limits.ledgerEntriesMax) this.#dropped += entry.count;
    else this.#entries.set(key, { ...entry, count: (before?.count ?? 0) + entry.count });
  }

  /** What was noted since the last call. */
  take(): { entries: LedgerEntry[]; dropped: number } {
    const taken = { entries: [...this.#entries.values()], dropped: this.#dropped };
    this.#entries = new Map();
    this.#dropped = 0;
    return taken;
  }
}

const periodMs = 10_000;
const batch = 50;

interface LedgerDeps {
  readonly ledger: PullLedger;
  readonly logger: { warn(fields: object, message: string): void };
}

export function ledgerTask({ database, ...deps }: LedgerDeps & { readonly database: Database }): Task {
  return ledgerPassedOn(deps, async (entries) => {
    for (let at = 0; at < entries.length; at += batch)
      await database.transact((tx) => ledgerAdd(tx, entries.slice(at, at + batch)));
  });
}

/** @param take what becomes of them */
export function ledgerPassedOn(
  { ledger, logger }: LedgerDeps,
  take: (entries: readonly LedgerEntry[]) => Promise<void>,
): Task {
  return {
    name: 'ledger',
    periodMs,
    calmMs: limits.taskCalmMs,
    run: async () => {
      const { entries, dropped } = ledger.take();
      if (dropped > 0) logger.warn({ dropped }, 'pulls were not counted: too many different ones');
      if (entries.length === 0) return 'idle';
      await take(entries);
      return 'worked';
    },
  };
}
