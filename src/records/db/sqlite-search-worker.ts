import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import { memoryOf, rowsPacked } from './packed-rows.ts';
import { keptStatements } from './sqlite-statements.ts';

/**
 * A read-only connection in a thread of its own: answers `{id, sql, parameters}` with `{id, rows}` or `{id, error}`, rows as
 * in packed-rows.ts.
 */
assert(parentPort, 'runs as a worker thread only');
const port = parentPort;
const database = new BetterSqlite3(String(workerData), { readonly: true });
database.pragma('cache_size = -64000');
const statementOf = keptStatements((sql) => {
  const statement = database.prepare<unknown[], unknown[]>(sql).raw();
  return { statement, names: statement.columns().map(({ name }) => name) };
});

port.on('message', ({ id, sql, parameters }: { id: number; sql: string; parameters: unknown[] }) => {
  try {
    const { statement, names } = statementOf(sql);
    const rows = rowsPacked(names, statement.all(...parameters));
    port.postMessage({ id, rows }, memoryOf(rows));
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
