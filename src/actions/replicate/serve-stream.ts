/**
 * The side that is followed: this region's own events to one follower, for as long as it stays.
 *
 * Each lane is sent in its order. Whenever the quarantine lane has something, that goes first: content is sent in small
 * batches, and a commit that happens between two lines of a batch ends the batch. A heartbeat names how far each lane
 * goes: every few seconds, and whenever there is nothing more to send. A cut connection leaves nothing behind: the
 * follower comes again with the cursors that it has.
 */
import type { ReplicationLine } from '../../contract/replication.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { logHeadOfLane, logRead } from '../../records/log/log.ts';
import { attachmentOf } from '../../records/regions/manifest-attachment.ts';
import type { Cursors } from '../../records/regions/regions.ts';

export interface ServeDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** This region. */
  readonly region: string;
}

const quarantineBatch = 100;
const contentBatch = 20;

/** Ends when `signal` aborts or the reader stops. */
export async function* replicationLines(
  deps: ServeDeps,
  from: Cursors,
  signal: AbortSignal,
): AsyncGenerator<ReplicationLine> {
  const sender = new Sender(deps, from);
  try {
    while (!signal.aborted) {
      sender.fresh = false;
      yield* sender.quarantineLines();
      yield* sender.contentLines();
      if (sender.heartbeatDue()) yield await sender.heartbeat();
      if (sender.caughtUp) await sender.wait(signal);
    }
  } finally {
    sender.close();
  }
}

/** How far the lanes of this region's own events go now. */
export async function replicationHeads({
  database,
  region: origin,
}: Pick<ServeDeps, 'database' | 'region'>): Promise<Cursors> {
  const quarantine = await logHeadOfLane(database.read, { origin, lane: 'quarantine' });
  const content = await logHeadOfLane(database.read, { origin, lane: 'content' });
  return { quarantine, content };
}

class Sender {
  /** A commit has happened since the lanes were looked at. */
  fresh = false;
  /** Both lanes were found empty. */
  caughtUp = false;
  readonly #deps: ServeDeps;
  #quarantine: number;
  #content: number;
  #beatAt: number;
  /** Something was sent after the last heartbeat. */
  #sent = true;
  #wake: (() => void) | undefined;
  readonly #unsubscribe: () => void;

  constructor(deps: ServeDeps, from: Cursors) {
    this.#deps = deps;
    this.#quarantine = from.quarantine;
    this.#content = from.content;
    this.#beatAt = deps.clock.bootMs();
    this.#unsubscribe = deps.database.onCommit(() => {
      this.fresh = true;
      this.#wake?.();
    });
  }

  async *quarantineLines(): AsyncGenerator<ReplicationLine> {
    for (;;) {
      const events = await this.#read('quarantine', this.#quarantine, quarantineBatch);
      for (const event of events) {
        yield { lane: 'quarantine', event: { ...event, lane: 'quarantine' } };
        this.#quarantine = event.position;
        this.#sent = true;
      }
      if (events.length < quarantineBatch) return;
    }
  }

  async *contentLines(): AsyncGenerator<ReplicationLine> {
    const events = await this.#read('content', this.#content, contentBatch);
    this.caughtUp = events.length === 0;
    for (const event of events) {
      const attachment = await attachmentOf(this.#deps.database.read, event);
      const line = { lane: 'content' as const, event: { ...event, lane: 'content' as const } };
      yield attachment ? { ...line, attachment } : line;
      this.#content = event.position;
      this.#sent = true;
      // Not before one line was sent: content goes on, however busy the region is.
      if (this.fresh) return;
    }
  }

  heartbeatDue(): boolean {
    return (this.caughtUp && this.#sent) || this.#deps.clock.bootMs() - this.#beatAt >= limits.heartbeatMs;
  }

  async heartbeat(): Promise<ReplicationLine> {
    this.#beatAt = this.#deps.clock.bootMs();
    this.#sent = false;
    return { head: await replicationHeads(this.#deps), at: this.#deps.clock.wallMs() };
  }

  /** Until the next commit, or until a heartbeat is due. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.fresh) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#deps.clock.sleep(limits.heartbeatMs, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }

  close(): void {
    this.#unsubscribe();
  }

  #read(lane: 'quarantine' | 'content', after: number, limit: number): Promise<LogEvent[]> {
    const { database, region } = this.#deps;
    return logRead(database.read, { after, limit, lane, origin: region });
  }
}
