import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import type { Database } from '../../records/db/database.ts';
import { type Quarantine, quarantineGet, quarantineLocked } from '../../records/marks/quarantines.ts';
import { quarantinesEnding, retentionWarned } from '../../records/marks/retention-warnings.ts';
import { isRefused, radiusNow } from './radius.ts';

export interface ExpiringDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly region: string;
}

const dayMs = 86_400_000;
/** Days before the end, the nearest first: whoever is within one day is not warned of seven. */
const warningDays = [1, 7] as const;
const imagesNamedMax = 100;

/**
 * Warns before the bytes of a quarantine go, once each: the event names what is still tagged and what still runs. That it
 * was given is a row, so a restart does not repeat it; another end of retention is warned of anew.
 */
export function expiringTask(deps: ExpiringDeps): Task {
  return {
    name: 'quarantine-expiring',
    periodMs: 60_000,
    calmMs: limits.taskCalmMs,
    run: async (signal) => {
      let warned = 0;
      for (const days of warningDays) warned += await warnOf(deps, days, signal);
      return warned > 0 ? 'worked' : 'idle';
    },
  };
}

async function warnOf(deps: ExpiringDeps, days: number, signal: AbortSignal): Promise<number> {
  const { database, region } = deps;
  const nowMs = deps.clock.wallMs();
  const ask = { region, nowMs, untilMs: nowMs + days * dayMs, days };
  const ending = await quarantinesEnding(database.read, ask, limits.apiPageDefault);
  let warned = 0;
  for (const { uid } of ending) {
    if (signal.aborted) break;
    const quarantine = await quarantineGet(database.read, uid);
    if (quarantine && (await warn(deps, quarantine, days))) warned += 1;
  }
  return warned;
}

async function warn(deps: ExpiringDeps, quarantine: Quarantine, days: number): Promise<boolean> {
  const { uid, name, scopeAccount, retainUntil } = quarantine;
  const { images: reached, containers } = await radiusNow(deps, quarantine);
  const images = reached.filter((image) => isRefused(quarantine.reach, image));
  const tagged = images.flatMap((image) => image.tags.map((tag) => `${image.repository}:${tag}`));
  return deps.database.transact(async (tx) => {
    const now = await quarantineLocked(tx, uid);
    if (now?.version !== quarantine.version) return false;
    if (!(await retentionWarned(tx, { quarantineUid: uid, retainUntil, days }))) return false;
    tx.emit({
      type: 'quarantine.expiring',
      lane: 'content',
      account: scopeAccount ?? undefined,
      subject: name,
      actor: 'collector',
      data: {
        quarantine: uid,
        retainUntil,
        days,
        images: images.length,
        tagged: tagged.slice(0, imagesNamedMax),
        running: containers.slice(0, imagesNamedMax),
      },
    });
    return true;
  });
}
