import type { AssignmentsLine } from '../../contract/agent.ts';
import type { Instance } from '../../contract/fleet.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead, logRead } from '../../records/log/log.ts';
import { type Assignments, assignmentsOf } from './assignments.ts';

export interface WatchDeps {
  readonly database: Database;
  readonly clock: Clock;
}

/**
 * First what the instance is to do now, then the whole of it again after each commit that changed it, with a heartbeat
 * whenever `limits.heartbeatMs` passed in silence. A commit wakes it, and only events that could matter make it look; each
 * heartbeat looks too, so that nothing is missed for longer.
 */
export async function* assignmentsWatch(
  { database, clock }: WatchDeps,
  instance: Instance,
  signal: AbortSignal,
): AsyncGenerator<AssignmentsLine> {
  const commits = commitSignal(database, clock);
  try {
    let sent = '';
    let seen = 0;
    while (!signal.aborted) {
      const now = await assignmentsOf(database.read, instance);
      seen = now.revision;
      const text = JSON.stringify(now.assignments);
      yield text === sent ? { kind: 'heartbeat', revision: seen } : lineOf(now);
      sent = text;
      await nextReason({ database, commits, seen }, signal);
    }
  } finally {
    commits.close();
  }
}

function lineOf({ revision, assignments }: Assignments): AssignmentsLine {
  return { kind: 'assignments', revision, assignments: [...assignments] };
}

interface Watch {
  readonly database: Database;
  readonly commits: CommitSignal;
  readonly seen: number;
}

/** Resolves when something may have changed after `seen`, or a heartbeat is due. */
async function nextReason(watch: Watch, signal: AbortSignal): Promise<void> {
  let seen = watch.seen;
  for (;;) {
    const woken = await watch.commits.next(signal);
    if (woken !== 'commit') return;
    const events = await logRead(watch.database.read, { after: seen, limit: limits.apiPageMax });
    if (events.length === limits.apiPageMax || events.some((event) => matters.test(event.type))) return;
    seen = events.at(-1)?.position ?? (await logHead(watch.database.read));
  }
}

/** What can change an assignment: the deployment, a mark, a grant, the image or its bytes. */
const matters = /^(?:deployment|quarantine|grant|manifest|blob|blobs|instance)\./;

interface CommitSignal {
  next(signal: AbortSignal): Promise<'commit' | 'heartbeat' | 'ended'>;
  close(): void;
}

/** Remembers a commit that comes while nobody waits. */
function commitSignal(database: Database, clock: Clock): CommitSignal {
  let pending = false;
  let wake: (() => void) | undefined;
  const stop = database.onCommit(() => {
    pending = true;
    wake?.();
  });
  return {
    next: async (signal) => {
      const beat = new AbortController();
      if (!pending && !signal.aborted) {
        const asleep = clock.sleep(limits.heartbeatMs, AbortSignal.any([signal, beat.signal]));
        await Promise.race([asleep, new Promise<void>((resolve) => (wake = resolve))]);
        beat.abort();
        wake = undefined;
      }
      if (signal.aborted) return 'ended';
      const woken = pending ? 'commit' : 'heartbeat';
      pending = false;
      return woken;
    },
    close: stop,
  };
}
