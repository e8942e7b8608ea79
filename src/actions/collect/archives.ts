import { limits } from '../../lib/limits.ts';
import { archiveIsDue, archiveReview } from '../../records/collection/archives.ts';
import type { CollectDeps } from './collect-deps.ts';
import { fullPace } from './pace.ts';

/** What is known of archives that no layer has any more is forgotten, in small steps. */
export async function forgetArchives(
  { database, clock, pace = fullPace }: CollectDeps,
  signal?: AbortSignal,
): Promise<void> {
  for (let step = 0; step < limits.collectStepsMax; step++) {
    if (!(await archiveIsDue(database.read, clock.wallMs()))) return;
    await pace.turn(signal);
    if (signal?.aborted || !(await database.transact(archiveReview))) return;
  }
}
