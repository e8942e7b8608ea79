import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';

/** A connection in a thread of its own: each message asks for a checkpoint, and is answered when it has ended. */
assert(parentPort, 'runs as a worker thread only');
const port = parentPort;
const database = new BetterSqlite3(String(workerData));
// A checkpoint flushes the log before the file, and the file before the log begins anew, as the writer's own does.
database.pragma('synchronous = FULL');

port.on('message', () => {
  database.pragma('wal_checkpoint(PASSIVE)');
  port.postMessage(null);
});
