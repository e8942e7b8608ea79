import assert from 'node:assert/strict';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';

/** Of one connection: the server holds each with its plan. */
const statementsKeptMax = 250;
/** Characters: longer ones are inserts of many rows, and don't come again. */
const keptLengthMax = 8_000;
/** Not the limits of transactions, nor what makes tables. */
const asksOrWrites = /^\s*(select|with|insert|update|delete)\b/i;
/** `feature_not_supported`: what it gives has other columns than when it was prepared, since somebody changed a table. */
const outdated = '0A000';

/**
 * A pool as Kysely sees it, whose connections keep the statements that come again. The server plans each anew at its first
 * five uses, and then only where plans for the very values are much better: to plan a search takes longer than to run it.
 *
 * postgresql.org/docs/current/sql-prepare.html
 */
export function withKeptStatements(pool: pg.Pool): PostgresPool {
  const known = new WeakMap<pg.PoolClient, KeepingClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect();
      const keeping = known.get(client) ?? new KeepingClient(client);
      known.set(client, keeping);
      return keeping;
    },
  };
}

class KeepingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  /** By its text, the name of a statement; none of one that came once. Those unused for longest come first. */
  readonly #names = new Map<string, string | undefined>();
  #unused: string[] = [];
  #named = 0;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query(text: unknown, parameters: readonly unknown[] = []): unknown {
    assert(typeof text === 'string', 'no cursor is used');
    const name = this.#nameOf(text);
    const values = [...parameters];
    return name === undefined ? this.#client.query({ text, values }) : this.#asked({ name, text, values });
  }

  release(destroy?: boolean): void {
    const unused = this.#unused.splice(0);
    if (destroy || unused.length === 0) {
      this.#client.release(destroy);
      return;
    }
    this.#client.query(unused.map((name) => `deallocate ${name}`).join('; ')).then(
      () => this.#client.release(),
      (error: Error) => this.#client.release(error),
    );
  }

  async #asked(query: { readonly name: string; readonly text: string; readonly values: unknown[] }) {
    try {
      return await this.#client.query(query);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== outdated) throw error;
      this.#names.delete(query.text);
      this.#unused.push(query.name);
      // A transaction in which something failed is over.
      if (this.#client.getTransactionStatus() !== 'I') throw error;
      return this.#client.query({ text: query.text, values: query.values });
    }
  }

  /** undefined: it is not kept, or not yet. */
  #nameOf(text: string): string | undefined {
    if (text.length > keptLengthMax || !asksOrWrites.test(text)) return undefined;
    const name = this.#names.has(text) ? (this.#names.get(text) ?? `kept_${++this.#named}`) : undefined;
    this.#names.delete(text);
    this.#names.set(text, name);
    const [oldest] = this.#names;
    if (this.#names.size <= statementsKeptMax || oldest === undefined) return name;
    const [oldestText, oldestName] = oldest;
    this.#names.delete(oldestText);
    if (oldestName !== undefined) this.#unused.push(oldestName);
    return name;
  }
}
