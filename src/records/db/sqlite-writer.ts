import { type Kysely, sql, type Transaction } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { turnEnded } from '../../lib/shared.ts';
import type { Tables } from './tables.ts';

/**
 * When a commit is on the disk: `within`, before anybody reads it; `after`, before its caller is told; `never`, for what
 * may be lost.
 */
export type Flush = 'within' | 'after' | 'never';

/** What one caller does in a transaction. May run again if the commit failed, so it changes nothing but rows. */
export type Work<T> = (db: Transaction<Tables>, flush: Flush) => Promise<T>;

/** Thrown by work that others may only see when it is on the disk: it is run again like that. */
export class NotSeenEarly extends Error {}

interface Waiting {
  /** @returns what settles its caller, after the commit */
  run(db: Transaction<Tables>, flush: Flush): Promise<() => void>;
  reject(error: unknown): void;
  readonly flush: Flush;
}

/** What the writer needs of its connection beside Kysely. */
export interface WriterConnection {
  inTransaction(): boolean;
  /** Whether commits from now on wait for the disk. */
  waitForDisk(waits: boolean): void;
  /** All commits before it are on the disk when it resolves. */
  flush(): Promise<void>;
}

/**
 * The one writer of a SQLite file. Those who come in one turn of the event loop, or while another commit goes on, share
 * one: each has a savepoint, and its failure takes nobody else's rows along; all are told after the commit. If one of them
 * is to be on the disk before anybody reads it, the commit waits for the disk, and with it the whole process; if not, the
 * next commits go on while a thread flushes, for all whom the same flush serves. When the commit itself fails, or SQLite
 * has rolled everything back (a full disk), each runs once more in a transaction of its own, whose failure is its own.
 */
export class SqliteWriter {
  readonly #writer: Kysely<Tables>;
  readonly #connection: WriterConnection;
  #waitsForDisk: boolean | undefined;
  #queue: Waiting[] = [];
  #draining = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(writer: Kysely<Tables>, connection: WriterConnection) {
    this.#writer = writer;
    this.#connection = connection;
  }

  /** @returns when it is committed, and on the disk unless it may be lost. @throws what `work` throws, and nothing of it is kept */
  transact<T>(flush: Flush, work: Work<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run: Waiting['run'] = async (db, flushes) => {
      const value = await work(db, flushes);
      return () => resolve(value);
    };
    this.#queue.push({ run, reject, flush });
    if (!this.#draining) void this.#drain();
    return promise;
  }

  /** Everything that is committed and was to be flushed is. @throws unavailable */
  flushed(): Promise<void> {
    return this.#flushing;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      await turnEnded();
      const together = this.#queue.splice(0, limits.transactionsTogetherMax);
      const within = together.some((each) => each.flush === 'within');
      this.#waitForDisk(within);
      if (within) await this.#run(together.map((each) => ({ ...each, flush: 'within' })));
      else await this.#runThenFlush(together);
    }
    this.#draining = false;
  }

  async #runThenFlush(together: readonly Waiting[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // each of those who wait for it is told
    // From before the commit on, since from then on it can be read.
    if (together.some((each) => each.flush === 'after')) this.#flushing = promise;
    await this.#run(together);
    if (this.#flushing === promise) this.#connection.flush().then(resolve, reject);
  }

  async #run(together: readonly Waiting[]): Promise<void> {
    if (together.length > 1 && (await this.#committed(together))) return;
    for (const each of together) await this.#alone(each);
  }

  #waitForDisk(waits: boolean): void {
    if (waits === this.#waitsForDisk) return;
    this.#connection.waitForDisk(waits);
    this.#waitsForDisk = waits;
  }

  async #alone(waiting: Waiting): Promise<void> {
    try {
      const settle = await this.#writer.transaction().execute((db) => waiting.run(db, waiting.flush));
      this.#tell(waiting, settle);
    } catch (error) {
      this.#failed(waiting, error);
    }
  }

  /** @returns false if nothing of it is kept */
  async #committed(together: readonly Waiting[]): Promise<boolean> {
    try {
      const settled = await this.#writer.transaction().execute(async (db) => {
        const settle: (() => void)[] = [];
        for (const each of together) settle.push(await this.#saved(db, each));
        return settle;
      });
      for (const settle of settled) settle();
      return true;
    } catch {
      return false; // each of them fails or succeeds by itself now
    }
  }

  async #saved(db: Transaction<Tables>, waiting: Waiting): Promise<() => void> {
    await sql`savepoint one`.execute(db);
    try {
      const settle = await waiting.run(db, waiting.flush);
      await sql`release one`.execute(db);
      return () => this.#tell(waiting, settle);
    } catch (error) {
      if (!this.#connection.inTransaction()) throw error;
      await sql`rollback to one`.execute(db);
      await sql`release one`.execute(db);
      return () => this.#failed(waiting, error);
    }
  }

  #tell({ flush, reject }: Waiting, settle: () => void): void {
    if (flush === 'after') this.#flushing.then(settle, reject);
    else settle();
  }

  #failed(waiting: Waiting, error: unknown): void {
    if (error instanceof NotSeenEarly) this.#queue.unshift({ ...waiting, flush: 'within' });
    else waiting.reject(error);
  }
}
