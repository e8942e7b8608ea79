import type { Generated } from 'kysely';

/** One ordered log. `position` is local; `event_id` (region/epoch/seq) is the event's name everywhere. */
export interface LogTable {
  position: Generated<number>;
  event_id: string;
  origin: string;
  type: string;
  lane: 'quarantine' | 'content' | 'local';
  at: number;
  account: string | null;
  subject: string;
  actor: string;
  cause: string | null;
  data: string;
  /** For the hash chain of the audit trail, which is not written yet. */
  hash: string | null;
}

export interface JobTable {
  id: Generated<number>;
  kind: string;
  /** One open job per kind and key. */
  key: string;
  payload: string;
  state: 'queued' | 'running' | 'dead';
  priority: number;
  run_at: number;
  attempts: number;
  lease_until: number | null;
  leased_by: string | null;
  error: string | null;
  created_at: number;
}
