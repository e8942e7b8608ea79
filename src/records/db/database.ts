import type { CompiledQuery, Transaction } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import type { NewEvent } from '../log/event.ts';
import type { Engine, Reader } from './engine.ts';
import type { Tables } from './tables.ts';

/**
 * The metadata store. Reads go to `read`, outside any transaction, and see every commit that was acknowledged before
 * them. Every write goes through `transact`, which also appends the events of the change, so that no change is without
 * its event. No blob or network I/O inside a transaction; it lasts at most `limits.transactionMs` or so.
 */
export interface Database {
  readonly engine: Engine;
  readonly read: Reader;
  /** Wall time, as transactions read it. */
  nowMs(): number;
  /**
   * The position of the log's newest event, 0 of an empty log, by a read of the primary that begins after the call: it
   * sees whatever was acknowledged before. Cheap enough for every request.
   */
  logHead(): Promise<number>;
  transact<T>(work: (tx: Tx) => Promise<T>, options?: TransactOptions): Promise<T>;
  /**
   * What any read before has seen is on the disk when this resolves, at once if it was: for an answer by which a client
   * leaves something out. See `TransactOptions.seenEarly`.
   */
  onDisk(): Promise<void>;
  /** For long searches: off the event loop on SQLite. */
  search<R>(query: CompiledQuery<R>, signal?: AbortSignal): Promise<R[]>;
  /** Calls `listener` after each commit that appended to the log or enqueued work, here or in another server process. */
  onCommit(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface TransactOptions {
  /**
   * A crash of the machine, not of the process, may undo it after it was acknowledged, so it does not wait for the disk:
   * for what is simply done again. It emits no event. Whatever commits after it, and waits, makes it durable too.
   */
  readonly mayBeLost?: boolean;
  /**
   * Others in this process may read it a moment before it is on the disk; whoever calls is told afterwards, as always. So
   * its commit holds nobody up, and many wait for the disk together. For what appends to no log: followers would see what a
   * crash of the machine can take back; if it turns out to emit, it is run again without this.
   */
  readonly seenEarly?: boolean;
}

/** One transaction. */
export interface Tx {
  readonly engine: Engine;
  readonly db: Transaction<Tables>;
  /** Wall time, read once at its start. */
  readonly nowMs: number;
  /** The region whose database this is. */
  readonly region: string;
  /**
   * Appends an event. Its place in the log is fixed by the transaction's last statement; the returned object learns its
   * id then.
   */
  emit(event: NewEvent): void;
  /** The position that the next emitted event of this transaction will be at or after: a version newer than any before. */
  nextVersion(): Promise<number>;
  /** Wakes the background tasks after the commit although no event is appended. */
  wake(): void;
}

export interface DatabaseOptions {
  /** The region that this database is of. */
  readonly region: string;
  readonly clock: Clock;
  /** Other processes read the same database: nothing is seen early. */
  readonly othersRead?: boolean;
  /** Told of broken idle connections; queries that need them fail by themselves. */
  readonly onError?: (error: Error) => void;
}
