import { accessSync, constants } from 'node:fs';

/** A RAM disk where there is one: SQLite flushes at every commit. */
export function scratchFolder(otherwise: string): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return otherwise;
  }
}
