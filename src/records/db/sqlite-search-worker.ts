import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import { systemClock as clock } from '../../lib/clock.ts';
import { withGlobs } from './glob-condition.ts';
import { memoryOf, rowsPacked } from './packed-rows.ts';
import type { SearchQuestion, SearchReply } from './sqlite-searcher.ts';
import { keptStatements } from './sqlite-statements.ts';

/** A read-only connection in a thread of its own, which sqlite-searcher.ts asks. */
assert(parentPort, 'runs as a worker thread only');
const port = parentPort;
const database = new BetterSqlite3(String(workerData), { readonly: true });
database.pragma('cache_size = -64000');
withGlobs(database);
const statementOf = keptStatements((sql) => {
  const statement = database.prepare<unknown[], unknown[]>(sql).raw();
  return { statement, names: statement.columns().map(({ name }) => name) };
});

/** How long an answer waits for those that were asked together with it. */
const togetherMs = 1;

port.on('message', (questions: readonly SearchQuestion[]) => {
  let replies: SearchReply[] = [];
  let sentMs = clock.wallMs();
  for (const question of questions) {
    replies.push(replyTo(question));
    if (clock.wallMs() - sentMs <= togetherMs && question !== questions.at(-1)) continue;
    port.postMessage(
      replies,
      replies.flatMap((reply) => ('rows' in reply ? memoryOf(reply.rows) : [])),
    );
    replies = [];
    sentMs = clock.wallMs();
  }
});

function replyTo({ id, sql, parameters }: SearchQuestion): SearchReply {
  try {
    const { statement, names } = statementOf(sql);
    return { id, rows: rowsPacked(names, statement.all(...parameters)) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
