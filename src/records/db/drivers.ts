import type { Database, DatabaseOptions } from './database.ts';
import { refusesWrites } from './read-only.ts';
import { openSqlite, openSqliteReader } from './sqlite.ts';

export type DatabaseConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** PostgreSQL's client is loaded only where it is configured: it costs start-up time and memory. */
export async function openDatabase(config: DatabaseConfig, options: DatabaseOptions): Promise<Database> {
  if (config.kind === 'sqlite') return openSqlite(config.file, options);
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(config.url, options);
}

/**
 * For a process beside the one that writes, which has opened it already: every write throws `NeedsWriter`.
 * @param options.onCommit on SQLite, where no process hears of another's commits by itself
 */
export async function openReadOnly(
  config: DatabaseConfig,
  options: DatabaseOptions & Pick<Database, 'onCommit'>,
): Promise<Database> {
  if (config.kind === 'sqlite') return openSqliteReader(config.file, options);
  return { ...(await openDatabase(config, options)), ...refusesWrites };
}
