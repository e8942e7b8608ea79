import type { Generated } from 'kysely';

export interface RegionTable {
  name: string;
  url: string;
  is_self: number;
  is_primary: number;
  location: string | null;
  /** Up to which position of its own log this peer's events are applied here, and how far it said that they go. */
  quarantine_cursor: number;
  quarantine_head: number;
  content_cursor: number;
  content_head: number;
  /** Content events of an unknown type, or broken, that were passed over. */
  content_skipped: number;
  /** Why its quarantine lane stands still: an event that this version can't apply. */
  stopped_reason: string | null;
  last_heard_at: number | null;
}

export interface InstanceTable {
  id: Generated<number>;
  uid: string;
  name: string;
  region: string;
  account: string;
  runtime: string | null;
  last_heard_at: number | null;
  version: number;
}

export interface DeploymentTable {
  id: Generated<number>;
  uid: string;
  name: string;
  /** The entity: whose instance it runs on. */
  account: string;
  owner: string;
  repository: string;
  reference: string;
  manifest_digest: string;
  region: string;
  instance: string;
  env: string;
  event_criteria: string;
  stop_deadline_ms: number;
  lease_ms: number | null;
  on_lease_end: 'stop' | 'pause' | 'keep';
  /** `removed`: kept as a tombstone, so that its containers end wherever they are and receipts can name it. */
  desired: 'running' | 'stopped' | 'removed';
  /** Why it is stopped: a revocation, a person. */
  desired_reason: string | null;
  created_by: string;
  created_at: number;
  version: number;
}

/** An event that the owner's criteria name has occurred. Lifted by the owner: the same evidence does not fire again. */
export interface RevocationTable {
  id: Generated<number>;
  uid: string;
  name: string;
  deployment_uid: string;
  account: string;
  repository: string;
  manifest_digest: string;
  trigger: string;
  evidence: string;
  evidence_key: string;
  cause: string | null;
  occurred_at: number;
  lifted_at: number | null;
  lifted_by: string | null;
  lift_reason: string | null;
  version: number;
}

export interface ContainerTable {
  uid: string;
  deployment_uid: string;
  region: string;
  instance: string;
  account: string;
  manifest_digest: string;
  state: 'starting' | 'running' | 'stopped' | 'failed' | 'refused' | 'paused' | 'leaseEnded';
  message: string | null;
  exit_code: number | null;
  started_at: number | null;
  stopped_at: number | null;
  reported_at: number;
  version: number;
}
