import type { Reader } from './engine.ts';

/**
 * A consistent copy of the whole metadata in one file, made while servers go on: SQLite's own online backup, or every
 * table of a PostgreSQL database as lines of JSON out of one REPEATABLE READ transaction.
 */
export interface DatabaseCopy {
  /** Exactly what is in the copy. */
  readonly read: Reader;
  close(): Promise<void>;
}
