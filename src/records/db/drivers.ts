import type { Database, DatabaseOptions } from './database.ts';
import { openSqlite } from './sqlite.ts';

export type DatabaseConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** PostgreSQL's client is loaded only where it is configured: it costs start-up time and memory. */
export async function openDatabase(config: DatabaseConfig, options: DatabaseOptions): Promise<Database> {
  if (config.kind === 'sqlite') return openSqlite(config.file, options);
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(config.url, options);
}
