import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';

/** A read-only connection in a thread of its own: answers `{id, sql, parameters}` with `{id, rows}` or `{id, error}`. */
assert(parentPort, 'runs as a worker thread only');
const port = parentPort;
const database = new BetterSqlite3(String(workerData), { readonly: true });
database.pragma('cache_size = -32000');

port.on('message', (question: { id: number; sql: string; parameters: unknown[] }) => {
  try {
    port.postMessage({ id: question.id, rows: database.prepare(question.sql).all(...question.parameters) });
  } catch (error) {
    port.postMessage({ id: question.id, error: error instanceof Error ? error.message : String(error) });
  }
});
