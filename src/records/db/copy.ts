import { assertNever } from '../../lib/errors.ts';
import type { DatabaseOptions, Tx } from './database.ts';
import type { DatabaseCopy } from './database-copy.ts';
import type { DatabaseConfig } from './drivers.ts';

/** The whole file is durable when it resolves. @throws unavailable if there is no such database */
export async function databaseCopy(config: DatabaseConfig, file: string): Promise<DatabaseCopy> {
  switch (config.kind) {
    case 'sqlite':
      return (await import('./sqlite-copy.ts')).sqliteCopy(config.file, file);
    case 'postgres':
      return (await import('./postgres-copy.ts')).postgresCopy(config.url, file);
    default:
      return assertNever(config);
  }
}

/** Whether nothing was ever kept there: no file, no table, or none with anything in it. */
export async function databaseEmpty(config: DatabaseConfig): Promise<boolean> {
  switch (config.kind) {
    case 'sqlite':
      return (await import('./sqlite-copy.ts')).sqliteEmpty(config.file);
    case 'postgres':
      return (await import('./postgres-copy.ts')).postgresEmpty(config.url);
    default:
      return assertNever(config);
  }
}

/**
 * Fills an empty database from a copy, under a new epoch, whole or not at all: `settle` runs in the transaction (of
 * SQLite: on the file) that becomes the database when it resolves.
 */
export async function databaseRestore<T>(
  config: DatabaseConfig,
  copy: string,
  options: DatabaseOptions,
  settle: (tx: Tx) => Promise<T>,
): Promise<T> {
  switch (config.kind) {
    case 'sqlite':
      return (await import('./sqlite-copy.ts')).sqliteRestore({ target: config.file, copy }, options, settle);
    case 'postgres':
      return (await import('./postgres-copy.ts')).postgresRestore(
        { target: config.url, copy },
        options,
        settle,
      );
    default:
      return assertNever(config);
  }
}
