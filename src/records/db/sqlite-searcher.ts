import { Worker } from 'node:worker_threads';
import type { CompiledQuery } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { type PackedRows, rowsUnpacked } from './packed-rows.ts';

/** What the worker is asked, each by a number of its own. */
export interface SearchQuestion {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export type SearchReply =
  | { readonly id: number; readonly rows: PackedRows }
  | { readonly id: number; readonly error: string };

interface Waiting {
  resolve(rows: unknown[] | Promise<unknown[]>): void;
  reject(error: Error): void;
}

/**
 * The worker thread for long searches, started when first used. What is asked in one turn goes there in one message, and
 * comes back in few: to wake the other thread takes longer than most searches.
 */
export class SqliteSearcher {
  readonly #file: string;
  #worker: Worker | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();
  #unsent: SearchQuestion[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  run<R>(query: CompiledQuery<R>, signal?: AbortSignal): Promise<R[]> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    return new Promise<R[]>((resolve, reject) => {
      // The worker answers with the rows of this very query, whose type the caller's builder has fixed.
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      if (this.#unsent.length === 0) process.nextTick(() => this.#send());
      this.#unsent.push({ id, sql: query.sql, parameters: query.parameters });
    });
  }

  #send(): void {
    const questions = this.#unsent;
    this.#unsent = [];
    // Those of a database that was closed meanwhile were answered.
    const asked = questions.filter(({ id }) => this.#waiting.has(id));
    if (asked.length > 0) this.#start().postMessage(asked);
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./sqlite-search-worker.ts', import.meta.url), {
      workerData: this.#file,
    });
    worker.unref();
    worker.on('message', (replies: readonly SearchReply[]) => {
      for (const reply of replies) this.#answer(reply);
    });
    worker.on('error', (cause) =>
      this.#fail(new LazaretError('internal', 'the search worker died', { cause })),
    );
    this.#worker = worker;
    return worker;
  }

  #answer(reply: SearchReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('rows' in reply) waiting?.resolve(rowsUnpacked(reply.rows));
    else waiting?.reject(new LazaretError('internal', `a search failed: ${reply.error}`));
  }

  #fail(error: Error): void {
    this.#worker = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#fail(new LazaretError('unavailable', 'the database was closed'));
  }
}
