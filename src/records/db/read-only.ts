import type { Database } from './database.ts';

/** What came in turns out to write, which this process may not: the one that may does all of it instead. */
export class NeedsWriter extends Error {
  constructor() {
    super('this process only reads');
    this.name = 'NeedsWriter';
  }
}

/** Every write is refused. */
export const refusesWrites: Pick<Database, 'transact'> = {
  transact: () => Promise.reject(new NeedsWriter()),
};

/** Whether that is why it failed, also if others have wrapped it. */
export function needsWriter(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof NeedsWriter) return true;
  return false;
}
