import { type Kysely, sql, type Transaction } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { turnEnded } from '../../lib/shared.ts';
import type { Tables } from './tables.ts';

/** What one caller does in a transaction. May run again if the commit failed, so it changes nothing but rows. */
export type Work<T> = (db: Transaction<Tables>) => Promise<T>;

interface Waiting {
  /** @returns what settles its caller, after the commit */
  run(db: Transaction<Tables>): Promise<() => void>;
  reject(error: unknown): void;
  readonly mayBeLost: boolean;
}

/** What the writer needs of its connection beside Kysely. */
export interface WriterConnection {
  inTransaction(): boolean;
  /** Whether commits from now on wait for the disk. */
  waitForDisk(waits: boolean): void;
}

/**
 * The one writer of a SQLite file. A commit waits for the disk, and with it the whole process, so those who come in one
 * turn of the event loop, or meanwhile, share one: each has a savepoint, and its failure takes nobody else's rows along;
 * all are told after the commit, which waits for the disk unless all of them may be lost. When the commit itself fails, or SQLite has rolled everything back (a full disk), each
 * runs once more in a transaction of its own, whose failure is its own.
 */
export class SqliteWriter {
  readonly #writer: Kysely<Tables>;
  readonly #connection: WriterConnection;
  #waitsForDisk: boolean | undefined;
  #queue: Waiting[] = [];
  #draining = false;

  constructor(writer: Kysely<Tables>, connection: WriterConnection) {
    this.#writer = writer;
    this.#connection = connection;
  }

  /** @returns when it is committed. @throws what `work` throws, and nothing of it is kept */
  transact<T>(work: Work<T>, mayBeLost: boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run: Waiting['run'] = async (db) => {
      const value = await work(db);
      return () => resolve(value);
    };
    this.#queue.push({ run, reject, mayBeLost });
    if (!this.#draining) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      await turnEnded();
      const together = this.#queue.splice(0, limits.transactionsTogetherMax);
      this.#waitForDisk(!together.every((each) => each.mayBeLost));
      if (together.length === 1 || !(await this.#committed(together)))
        for (const each of together) await this.#alone(each);
    }
    this.#draining = false;
  }

  #waitForDisk(waits: boolean): void {
    if (waits === this.#waitsForDisk) return;
    this.#connection.waitForDisk(waits);
    this.#waitsForDisk = waits;
  }

  async #alone(waiting: Waiting): Promise<void> {
    try {
      const settle = await this.#writer.transaction().execute((db) => waiting.run(db));
      settle();
    } catch (error) {
      waiting.reject(error);
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
      const settle = await waiting.run(db);
      await sql`release one`.execute(db);
      return settle;
    } catch (error) {
      if (!this.#connection.inTransaction()) throw error;
      await sql`rollback to one`.execute(db);
      await sql`release one`.execute(db);
      return () => waiting.reject(error);
    }
  }
}
