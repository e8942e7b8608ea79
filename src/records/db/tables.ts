import type { Generated } from 'kysely';
import type {
  AccountTable,
  GrantTable,
  LedgerTable,
  PrincipalTable,
  RoleBindingTable,
} from './tables/access.ts';
import type {
  AdvisoryFeedTable,
  AdvisoryPackageTable,
  AdvisorySourceTable,
  AdvisoryTable,
  ExceptionTable,
  ExploitScoreTable,
  FindingTable,
  KnownExploitedTable,
  VexDocumentTable,
} from './tables/advisories.ts';
import type {
  BlobTable,
  EdgeTable,
  HoldTable,
  ImmutabilityRuleTable,
  ManifestTable,
  RepositoryManifestTable,
  RepositoryTable,
  RetentionRuleTable,
  SbomRuleTable,
  TagTable,
  TagTrashTable,
  UploadTable,
} from './tables/catalog.ts';
import type {
  ContainerTable,
  DeploymentTable,
  InstanceTable,
  RegionTable,
  RevocationTable,
} from './tables/fleet.ts';
import type {
  ArchiveFileTable,
  ArchiveTable,
  ExtractionTable,
  ImageSecretTable,
  ImageTable,
  InspectionTable,
  LayerFileTable,
  LayerMalwareTable,
  LayerSecretTable,
  PackageTable,
  PathView,
} from './tables/inventory.ts';
import type { JobTable, LogTable } from './tables/log.ts';
import type {
  MarkExemptionTable,
  MarkTable,
  PlanTable,
  QuarantineTable,
  RetentionWarningTable,
  ScanTable,
} from './tables/quarantine.ts';

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
  accounts: AccountTable;
  account_usage: { account_id: number; delta_bytes: number };
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
  tags: TagTable;
  tag_trash: TagTrashTable;
  immutability_rules: ImmutabilityRuleTable;
  sbom_rules: SbomRuleTable;
  retention_rules: RetentionRuleTable;
  // holds, uploads, review
  holds: HoldTable;
  uploads: UploadTable;
  review_queue: { kind: 'blob' | 'manifest'; digest: string; changed_at: number; reason: string };
  // inventory
  inspections: InspectionTable;
  extractions: ExtractionTable;
  folders: { id: Generated<number>; path: string };
  folder_entries: { id: Generated<number>; folder_id: number; name: string };
  paths: PathView;
  packages: PackageTable;
  layer_packages: { blob_id: number; package_id: number; path_id: number; extractor: string };
  layer_files: LayerFileTable;
  inventory_versions: { id: Generated<number>; extractors: string; first_used_at: number };
  fingerprint_keys: { version: number; key: Uint8Array; created_at: number };
  layer_secrets: LayerSecretTable;
  layer_malware: LayerMalwareTable;
  image_secrets: ImageSecretTable;
  archives: ArchiveTable;
  archive_paths: { id: Generated<number>; folder: string; name: string };
  archive_files: ArchiveFileTable;
  archive_nestings: { archive_id: number; nested_id: number; path: string };
  images: ImageTable;
  image_packages: { manifest_id: number; package_id: number; blob_id: number; path_id: number };
  // advisories
  advisory_sources: AdvisorySourceTable;
  advisory_feeds: AdvisoryFeedTable;
  advisories: AdvisoryTable;
  advisory_aliases: { advisory_id: number; alias: string };
  advisory_packages: AdvisoryPackageTable;
  known_exploited: KnownExploitedTable;
  exploit_scores: ExploitScoreTable;
  findings: FindingTable;
  exceptions: ExceptionTable;
  vex_documents: VexDocumentTable;
  // scans, marks
  scans: ScanTable;
  plans: PlanTable;
  quarantines: QuarantineTable;
  marks: MarkTable;
  mark_exemptions: MarkExemptionTable;
  retention_warnings: RetentionWarningTable;
  acknowledgements: { quarantine_uid: string; region: string; version: number; acknowledged_at: number };
  // regions, fleet
  regions: RegionTable;
  instances: InstanceTable;
  deployments: DeploymentTable;
  revocations: RevocationTable;
  containers: ContainerTable;
}
