import type { Generated } from 'kysely';

export interface ScanTable {
  id: Generated<number>;
  name: string;
  criteria: string;
  scope: string;
  requested_by: string;
  requested_at: number;
  /** The log's head when it was answered. */
  position: number;
  answer: string;
}

export interface PlanTable {
  id: Generated<number>;
  name: string;
  effect: 'quarantine' | 'destroy' | 'retention';
  request: string;
  radius: string;
  position: number;
  account: string | null;
  author: string;
  created_at: number;
  applied_at: number | null;
  quarantine_uid: string | null;
}

/** One decision to quarantine; its marks say what it reaches. */
export interface QuarantineTable {
  id: Generated<number>;
  uid: string;
  name: string;
  origin: string;
  /** Log position at its origin: applied only if newer. */
  version: number;
  /** null: the operator, all repositories. */
  scope_account: string | null;
  reach: 'layer' | 'image';
  /** Of reach `image`: what becomes of an image whose inspection ended without an answer. */
  unknown: 'allow' | 'refuse';
  cause: string;
  criteria: string | null;
  reason: string;
  ticket: string | null;
  author: string;
  created_at: number;
  changed_at: number;
  retain_until: number;
  legal_hold: number;
  /** Why it was set, or why it was lifted. */
  legal_hold_reason: string | null;
  destroy_requested_at: number | null;
  released_at: number | null;
  released_by: string | null;
  release_reason: string | null;
}

export interface MarkTable {
  id: Generated<number>;
  quarantine_id: number;
  target: 'layer' | 'manifest' | 'repository';
  digest: string | null;
  diff_id: string | null;
  repository_glob: string | null;
  evidence: string;
}

/** A warning that retention ends soon, given once per end. Of the region that set the quarantine. */
export interface RetentionWarningTable {
  quarantine_uid: string;
  /** The end that was warned of: another one is warned of anew. */
  retain_until: number;
  days: number;
  warned_at: number;
}

/** What inspection decided of an image on a layer that is marked with reach `image`. */
export interface MarkExemptionTable {
  quarantine_uid: string;
  manifest_digest: string;
  exempt: number;
  version: number;
}
