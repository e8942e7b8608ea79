/**
 * The side that follows: one connection to a peer, over which both lanes come, each applied in its own order and neither
 * waiting for the other.
 *
 *   connection ──► quarantine queue ──► applied, one transaction per event, with its cursor
 *              └─► content queue ─────► the same; fetches the accounts first when they have changed
 *
 * A cut connection, a crash or a failed transaction loses nothing: cursors and rows change together, and the next
 * connection begins at the cursors. Two server processes of this region may follow the same peer: the cursor's row
 * decides who applies an event. An event of an unknown type, or whose data can't be read, stops the quarantine lane
 * (nobody can say what it would have refused), and is passed over and counted in the content lane. A full queue does not
 * hold up the other lane: it takes nothing more, and when it is empty the connection is made anew.
 *
 * A peer whose log ends before what was applied here has lost events, and will give their positions to others, which
 * would be passed over. A restore goes on far above instead (`records/log/restart.ts`), so nothing is; a log that was put
 * back in any other way stops both lanes until `region.restored` comes, also when it has grown beyond the cursors by then.
 */
import type { Clock } from '../../lib/clock.ts';
import { causeChain, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { jobsRevive } from '../../records/jobs/jobs.ts';
import { type CopyPolicy, copyJob } from '../../records/regions/copies.ts';
import { type Cursors, regionCursors, regionHeard } from '../../records/regions/regions.ts';
import { AccessFollower } from './access-follower.ts';
import { type EventLine, LaneApplier } from './lane-applier.ts';
import { LaneQueue } from './lane-queue.ts';
import { PeerHistory } from './peer-history.ts';
import type { PeerLink } from './peer-link.ts';

export interface FollowDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: CopyPolicy;
  /** Told once of each failure that goes on: a peer out of reach, a lane that stands still, an event passed over. */
  readonly onProblem: (error: LazaretError) => void;
}

/** Follows the peer until `signal` aborts, connecting again after each end. */
export async function followPeer(deps: FollowDeps, link: PeerLink, signal: AbortSignal): Promise<void> {
  let waitMs: number = limits.reconnectFirstMs;
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      await followOnce(deps, link, signal, () => {
        waitMs = limits.reconnectFirstMs;
        told = undefined;
      });
    } catch (cause) {
      if (signal.aborted) return;
      const error = new LazaretError('unavailable', `following region ${link.region} was interrupted`, {
        cause,
      });
      if (causeChain(error) !== told) deps.onProblem(error);
      told = causeChain(error);
    }
    await deps.clock.sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, limits.reconnectMaxMs);
  }
}

/**
 * One connection, until the peer ends it, `signal` aborts or something fails; what came by then is applied.
 * @param heard called when the peer has said something
 * @throws whatever failed first
 */
export async function followOnce(
  deps: FollowDeps,
  link: PeerLink,
  signal: AbortSignal,
  heard: () => void = () => {},
): Promise<void> {
  const connection = new AbortController();
  const both = AbortSignal.any([signal, connection.signal]);
  const quarantine = new LaneQueue<EventLine>(laneLimits);
  const content = new LaneQueue<EventLine>(laneLimits);
  const access = await AccessFollower.of(deps.database, link);
  const cursors = await regionCursors(deps.database.read, link.region);
  const history = await PeerHistory.of(deps.database, link.region, cursors);

  const apply = async (queue: LaneQueue<EventLine>, applier: LaneApplier) => {
    try {
      for await (const line of queue) await applier.apply(line, both);
    } finally {
      // Failed or overflown: what is missing comes over the next connection.
      if (!queue.closed) connection.abort();
    }
  };
  const read = async () => {
    try {
      for await (const line of link.stream(cursors, both)) {
        heard();
        await history.check(line);
        if ('head' in line) await keepHeard(deps, link, line);
        else if (line.lane === 'quarantine') quarantine.push(line, sizeOf(line));
        else content.push(line, sizeOf(line));
      }
    } catch (error) {
      if (!connection.signal.aborted) throw error;
    } finally {
      quarantine.close();
      content.close();
    }
  };

  const work = [
    apply(quarantine, new LaneApplier(deps, link.region, undefined)),
    apply(content, new LaneApplier(deps, link.region, access)),
    read(),
  ];
  const ends = await Promise.allSettled(work);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

const laneLimits = { countMax: limits.laneLinesMax, bytesMax: limits.laneBytesMax };

/** The body of a manifest is what makes a line long. */
function sizeOf(line: EventLine): number {
  return limits.laneLineBytes + (line.attachment?.body.length ?? 0);
}

async function keepHeard(
  { database }: FollowDeps,
  link: PeerLink,
  { head }: { readonly head: Cursors },
): Promise<void> {
  await database.transact(async (tx) => {
    // Copies that gave up while the peer was out of reach.
    if (await regionHeard(tx, link.region, head)) await jobsRevive(tx, copyJob);
  });
}
