import { eventList } from '../../contract/events.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { logRead } from '../../records/log/log.ts';
import { type BoundRoute, bind } from './bind.ts';
import { accountsSeen } from './scope.ts';

export function eventRoutes({ database }: { readonly database: Database }): BoundRoute[] {
  return [
    bind(eventList, ({ query, caller, signal }) => {
      const accounts = accountsSeen(caller);
      const seen = (event: LogEvent) =>
        accounts === undefined || (event.account !== null && accounts.includes(event.account));
      const limit = query.follow ? Number.POSITIVE_INFINITY : (query.limit ?? limits.apiPageDefault);
      return events(database, {
        after: query.after ?? 0,
        follow: query.follow === true,
        limit,
        seen,
        signal,
      });
    }),
  ];
}

interface Reading {
  readonly after: number;
  readonly follow: boolean;
  readonly limit: number;
  readonly seen: (event: LogEvent) => boolean;
  readonly signal: AbortSignal;
}

async function* events(database: Database, reading: Reading) {
  let after = reading.after;
  let left = reading.limit;
  const commits = new Commits(database, reading.signal);
  try {
    while (left > 0 && !reading.signal.aborted) {
      const arrived = commits.next();
      const page = await logRead(database.read, { after, limit: limits.apiPageDefault });
      for (const event of page) {
        after = event.position;
        if (!reading.seen(event)) continue;
        yield { ...event, type: `io.lazaret.${event.type}.v1` };
        left -= 1;
        if (left <= 0) return;
      }
      if (page.length > 0) continue;
      if (!reading.follow) return;
      await arrived;
    }
  } finally {
    commits.stop();
  }
}

/** Turns commits into promises: what is committed after `next` was called resolves it. */
class Commits {
  #wake: () => void = () => undefined;
  readonly stop: () => void;

  constructor(database: Database, signal: AbortSignal) {
    this.stop = database.onCommit(() => this.#wake());
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
