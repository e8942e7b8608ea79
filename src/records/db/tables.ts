import type { ColumnType, Generated } from 'kysely';

/**
 * The tables, one schema for both engines. Keys inside a region are integers; what other regions or people name has a
 * `uid` (uuidv7) or a name. Times are milliseconds since 1970; digests are text `sha256:…`; structures are JSON text;
 * truth values are 0 and 1. What a table means is said where its noun lives, in the folder of the same name.
 */
export interface Tables {
  migrations: { name: string };
  // log
  settings: { key: string; value: string };
  log: LogTable;
  cursors: { follower: string; position: number };
  // jobs
  jobs: JobTable;
  // access
  accounts: { id: Generated<number>; name: string; created_at: number };
  principals: PrincipalTable;
  role_bindings: RoleBindingTable;
  grants: GrantTable;
  signing_keys: {
    kid: string;
    private_jwk: string;
    public_jwk: string;
    created_at: number;
    retired_at: number | null;
  };
  ledger: LedgerTable;
  // catalog
  repositories: RepositoryTable;
  blobs: BlobTable;
  blob_links: { repository_id: number; blob_id: number; linked_at: number };
  condemned_keys: { storage_key: string; blob_id: number; size_bytes: number; condemned_at: number };
  manifests: ManifestTable;
  edges: EdgeTable;
  repository_manifests: RepositoryManifestTable;
  tags: { repository_id: number; name: string; manifest_id: number; updated_at: number; updated_by: string };
  // holds, uploads, review
  holds: HoldTable;
  uploads: UploadTable;
  review_queue: { kind: 'blob' | 'manifest'; digest: string; changed_at: number; reason: string };
  // inventory
  inspections: InspectionTable;
  extractions: ExtractionTable;
  paths: { id: Generated<number>; path: string };
  packages: PackageTable;
  layer_packages: { blob_id: number; package_id: number; path_id: number; extractor: string };
  layer_files: LayerFileTable;
  images: ImageTable;
  image_packages: { manifest_id: number; package_id: number; blob_id: number; path_id: number };
  // advisories
  advisory_sources: { source: string; imported_at: number; documents: number };
  advisories: AdvisoryTable;
  advisory_aliases: { advisory_id: number; alias: string };
  advisory_packages: AdvisoryPackageTable;
  findings: FindingTable;
  // scans, marks
  scans: ScanTable;
  plans: PlanTable;
  quarantines: QuarantineTable;
  marks: MarkTable;
  acknowledgements: { quarantine_uid: string; region: string; version: number; acknowledged_at: number };
  // regions, fleet
  regions: RegionTable;
  instances: InstanceTable;
  deployments: DeploymentTable;
  revocations: RevocationTable;
  containers: ContainerTable;
}

type Created<T> = ColumnType<T, T, never>;

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

export interface PrincipalTable {
  id: Generated<number>;
  uid: string;
  /** What a client gives as user name: unique. */
  name: string;
  kind: 'user' | 'robot' | 'instance' | 'region';
  account_id: number | null;
  secret_hash: string;
  created_at: number;
  disabled_at: number | null;
}

/** A role over one account's repositories, a glob of them, or (both null) everything. */
export interface RoleBindingTable {
  id: Generated<number>;
  principal_id: number;
  role: 'reader' | 'writer' | 'maintainer' | 'security' | 'admin';
  account_id: number | null;
  repository_glob: string | null;
}

/** An owner allows another account to pull and run what a repository glob names. */
export interface GrantTable {
  id: Generated<number>;
  uid: string;
  owner: string;
  grantee: string;
  repository_glob: string;
  created_at: number;
  created_by: string;
  revoked_at: number | null;
  /** Log position at its origin: applied only if newer. */
  version: number;
}

export interface LedgerTable {
  minute: number;
  principal: string;
  repository: string;
  digest: string;
  verdict: 'served' | 'refused';
  count: number;
}

export interface RepositoryTable {
  id: Generated<number>;
  name: string;
  account_id: number;
  home_region: string;
  created_at: Created<number>;
}

/** `remote`: known, bytes not here yet. `condemned`: invisible to every door, its key waits in condemned_keys. */
export interface BlobTable {
  id: Generated<number>;
  digest: string;
  digest_sha512: string | null;
  size_bytes: number;
  storage_key: string | null;
  state: 'live' | 'remote' | 'condemned';
  stored_at: number;
}

/** A manifest's content, once, whatever repositories have it. */
export interface ManifestTable {
  id: Generated<number>;
  digest: string;
  digest_sha512: string | null;
  kind: 'image' | 'index' | 'artifact';
  media_type: string;
  artifact_type: string | null;
  platform: string | null;
  size_bytes: number;
  body: Uint8Array;
  annotations: string | null;
  created_at: number;
}

/** What a manifest needs, by digest: also of something absent, which it protects when it arrives. */
export interface EdgeTable {
  manifest_id: number;
  kind: 'config' | 'layer' | 'child' | 'subject';
  position: number;
  digest: string;
  media_type: string;
  size_bytes: number;
  /** Of a layer: as the image's config claims it. Of a child: null. */
  diff_id: string | null;
}

export interface RepositoryManifestTable {
  repository_id: number;
  manifest_id: number;
  pushed_at: number;
  pushed_by: string;
  last_pulled_at: number | null;
  /** Taken by DELETE or a retention rule. */
  deleted_at: number | null;
  /** A marked layer of it was collected. */
  withdrawn_at: number | null;
}

export interface HoldTable {
  id: Generated<number>;
  kind: 'upload' | 'deployment' | 'pin' | 'answer';
  /** Of a blob or a manifest. */
  digest: string;
  /** What made it: an upload id, a deployment uid. */
  holder: string;
  expires_at: number | null;
  created_at: number;
}

export interface UploadTable {
  id: string;
  repository_id: number;
  principal: string;
  storage_key: string;
  started_at: number;
  expires_at: number;
}

/** One read of one layer. */
export interface InspectionTable {
  blob_id: number;
  state: 'pending' | 'done' | 'unknown' | 'notApplicable';
  reason: string | null;
  diff_id: string | null;
  uncompressed_bytes: number;
  entries: number;
  duration_ms: number;
  os: string | null;
  version: number;
  inspected_at: number | null;
}

export interface ExtractionTable {
  blob_id: number;
  extractor: string;
  version: number;
  state: 'done' | 'unknown';
  reason: string | null;
}

/**
 * A distinct package version. Findings hang here, never on an image. Purls fold the case of some names that advisories
 * tell apart (`JSONStream`), so purl and name together are unique.
 */
export interface PackageTable {
  id: Generated<number>;
  purl: string;
  purl_type: string;
  ecosystem: string;
  name: string;
  version: string;
  source_name: string | null;
  source_version: string | null;
  license: string | null;
  first_seen_at: number;
}

export interface LayerFileTable {
  blob_id: number;
  path_id: number;
  kind: 'file' | 'directory' | 'link' | 'hardlink' | 'device' | 'whiteout' | 'opaque';
  size_bytes: number;
  mode: number;
  sha256: Uint8Array | null;
}

/** The image's view: what all its layers together show. */
export interface ImageTable {
  manifest_id: number;
  state: 'pending' | 'done' | 'unknown' | 'notApplicable';
  reason: string | null;
  os: string | null;
  config: string | null;
  created_at: number | null;
  inspected_at: number | null;
}

export interface AdvisoryTable {
  id: Generated<number>;
  source: string;
  advisory_id: string;
  modified_at: number;
  published_at: number | null;
  withdrawn_at: number | null;
  /** `unknown` where nobody gave one. */
  severity: 'none' | 'low' | 'medium' | 'high' | 'critical' | 'unknown';
  severity_score: number | null;
  severity_from: string | null;
  summary: string | null;
  body: string;
  imported_at: number;
}

export interface AdvisoryPackageTable {
  advisory_id: number;
  position: number;
  ecosystem: string;
  name: string;
  /** The ranges and versions of the OSV `affected` entry as JSON. */
  affected: string;
  severity: AdvisoryTable['severity'];
}

/** An advisory that applies to a package, from `since` until `until`; ended ones stay, as history. */
export interface FindingTable {
  package_id: number;
  advisory_id: number;
  /** `unknown`: whether it applies can't be told, so nobody may call the package clean. */
  verdict: 'affected' | 'unknown';
  fixed_version: string | null;
  severity: AdvisoryTable['severity'];
  since: number;
  until: number | null;
}

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
  effect: 'quarantine' | 'destroy';
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
  cause: string;
  criteria: string | null;
  reason: string;
  ticket: string | null;
  author: string;
  created_at: number;
  retain_until: number;
  legal_hold: number;
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
  state: 'starting' | 'running' | 'stopped' | 'failed' | 'refused';
  message: string | null;
  exit_code: number | null;
  started_at: number | null;
  stopped_at: number | null;
  reported_at: number;
  version: number;
}
