import type { Criteria } from '../../criteria/criteria.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../records/db/database.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';

export interface RevokeDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** This region. */
  readonly region: string;
  /** Searches the metadata of one image, as a repository has it. */
  readonly imageMeets: (
    database: Database,
    manifestId: number,
    criteria: Criteria,
    repository: string,
  ) => Promise<{ readonly verdict: Verdict; readonly evidence: readonly Evidence[] }>;
}
