import type BetterSqlite3 from 'better-sqlite3';
import { type RawBuilder, sql } from 'kysely';
import { globExpression, globMatcher } from '../../lib/globs.ts';
import type { Engine } from './engine.ts';

/**
 * Whether a path is what a glob stands for, told by the engine itself: there may be millions of paths, which are not brought
 * here to be looked at. SQLite calls `globMatcher`, in the thread that searches; PostgreSQL's regular expressions are
 * automata, which go through a text once. @throws invalid as `globMatcher`
 */
export function globIs(engine: Engine, path: RawBuilder<string>, glob: string): RawBuilder<boolean> {
  return engine === 'sqlite'
    ? sql<boolean>`${sql.raw(functionName)}(${glob}, ${path})`
    : sql<boolean>`(${path}) ~ ${globExpression(glob)}`;
}

const functionName = 'is_glob_of';

/** Makes the function known to a connection. */
export function withGlobs(connection: BetterSqlite3.Database): void {
  // A search asks of one glob, path after path.
  let last: unknown;
  let matches: (text: string) => boolean = () => false;
  connection.function(functionName, { deterministic: true }, (glob: unknown, path: unknown) => {
    if (glob !== last) [last, matches] = [glob, globMatcher(String(glob))];
    return matches(String(path)) ? 1 : 0;
  });
}
