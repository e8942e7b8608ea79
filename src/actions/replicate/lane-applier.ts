import type { AccessSnapshot, ReplicationLine } from '../../contract/replication.ts';
import { LazaretError } from '../../lib/errors.ts';
import { Field } from '../../lib/fields.ts';
import type { Database } from '../../records/db/database.ts';
import { logKeepFollowed } from '../../records/log/log.ts';
import type { CopyPolicy } from '../../records/regions/copies.ts';
import { regionAdvance, regionSkipped, regionStopped } from '../../records/regions/regions.ts';
import type { AccessFollower } from './access-follower.ts';
import { appliers } from './appliers.ts';
import type { Applier } from './applying.ts';

export type EventLine = Exclude<ReplicationLine, { head: unknown }>;

export interface LaneApplierDeps {
  readonly database: Database;
  readonly policy: CopyPolicy;
  readonly onProblem: (error: LazaretError) => void;
}

/** Applies the events of one lane of one peer: each in one transaction with the cursor and the kept event. */
export class LaneApplier {
  readonly #deps: LaneApplierDeps;
  readonly #peer: string;
  readonly #access: AccessFollower | undefined;
  #stopped = false;

  constructor(deps: LaneApplierDeps, peer: string, access: AccessFollower | undefined) {
    this.#deps = deps;
    this.#peer = peer;
    this.#access = access;
  }

  /** @throws when the transaction failed or the peer can't be reached: the event will come again */
  async apply(line: EventLine, signal: AbortSignal): Promise<void> {
    if (this.#stopped || signal.aborted) return;
    await this.#access?.begin(signal);
    const snapshot = await this.#access?.snapshotFor(line.event, signal);
    try {
      await this.#keep(line, this.#applierOf(line), snapshot);
      if (snapshot) this.#access?.applied(snapshot);
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause;
      await this.#refuse(line, cause);
    }
  }

  /** @throws invalid for an event that this version does not know, or that is not the peer's own */
  #applierOf({ lane, event }: EventLine): Applier {
    const known: Readonly<Record<string, Applier>> = appliers[lane];
    const applier = Object.hasOwn(known, event.type) ? known[event.type] : undefined;
    if (applier === undefined)
      throw new LazaretError('invalid', `this version does not know events of type ${event.type}`);
    if (event.origin !== this.#peer)
      throw new LazaretError('invalid', `region ${this.#peer} sent an event of region ${event.origin}`);
    return applier;
  }

  async #keep(line: EventLine, applier: Applier, snapshot: AccessSnapshot | undefined): Promise<void> {
    const { lane, event, attachment } = line;
    const { database, policy } = this.#deps;
    await database.transact(async (tx) => {
      if (!(await regionAdvance(tx, this.#peer, { lane, position: event.position }))) return;
      const data = new Field(event.data, event.type);
      await applier({ tx, event, data, attachment, snapshot, policy });
      // Last: it takes the log's turn, for which others wait.
      await logKeepFollowed(tx, event);
    });
  }

  async #refuse({ lane, event }: EventLine, cause: LazaretError): Promise<void> {
    const where = `event ${event.id} (${event.type}) of region ${this.#peer}`;
    if (lane === 'quarantine') {
      this.#stopped = true;
      const reason = `${where}: ${cause.message}`;
      const fresh = await this.#deps.database.transact((tx) => regionStopped(tx, this.#peer, reason));
      if (fresh) this.#problem(`the quarantine lane stands still at ${where}`, cause);
      return;
    }
    const passed = await this.#deps.database.transact(async (tx) => {
      if (!(await regionAdvance(tx, this.#peer, { lane, position: event.position }))) return false;
      await logKeepFollowed(tx, event);
      await regionSkipped(tx, this.#peer);
      return true;
    });
    if (passed) this.#problem(`passed over ${where}`, cause);
  }

  #problem(message: string, cause: LazaretError): void {
    this.#deps.onProblem(new LazaretError('unsupported', message, { cause }));
  }
}

/** The event itself can't be applied, now or later; anything else may go well the next time. */
function isUnreadable(error: unknown): error is LazaretError {
  return error instanceof LazaretError && error.code !== 'unavailable' && error.code !== 'internal';
}
