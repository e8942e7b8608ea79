import type { Task } from '../../lib/task.ts';
import type { Database } from '../../records/db/database.ts';
import { exceptionsDecide } from '../../records/exceptions/exceptions.ts';
import { exceptionsDue } from '../../records/exceptions/lists.ts';

const atOnce = 200;

/**
 * An exception ends at its time by itself, whatever this does. It says so in the log, so that what was decided by it is
 * decided again.
 */
export function expireExceptionsTask({ database }: { readonly database: Database }): Task {
  return {
    name: 'exceptions-expire',
    periodMs: 5_000,
    calmMs: 1_000,
    run: async () => {
      if ((await exceptionsDue(database.read, { nowMs: database.nowMs(), limit: 1 })).length === 0)
        return 'idle';
      await database.transact(async (tx) => {
        const due = await exceptionsDue(tx.db, { nowMs: tx.nowMs, limit: atOnce });
        if (due.length > 0)
          await exceptionsDecide(tx, due, { state: 'expired', actor: 'exceptions', because: null });
      });
      return 'worked';
    },
  };
}
