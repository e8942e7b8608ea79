import type { ColumnType, Generated } from 'kysely';
import type { DigestAlgorithm } from '../../../oci/digest.ts';

type Created<T> = ColumnType<T, T, never>;

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
  /** Taken by DELETE or a retention rule: in the trash until the collector comes. */
  deleted_at: number | null;
  deleted_by: string | null;
  /** The rule that took it; null: a person. */
  deleted_cause: string | null;
  /** It refers to that manifest, with which it went, and with which it comes back. */
  deleted_with: number | null;
  /** When a tag last left it, or an index that names it went. */
  untagged_at: number | null;
  /** A marked layer of it was collected. */
  withdrawn_at: number | null;
}

export interface TagTable {
  repository_id: number;
  name: string;
  manifest_id: number;
  updated_at: number;
  updated_by: string;
  /** A person brought it back from the trash, and it was not set since. */
  restored_at: number | null;
  /** Of the digest that it was pushed with, which its pulls are answered with. */
  algorithm: Generated<DigestAlgorithm>;
}

/** A tag that DELETE or a retention rule took away. */
export interface TagTrashTable {
  id: Generated<number>;
  repository_id: number;
  name: string;
  /** What it named. */
  digest: string;
  algorithm: Generated<DigestAlgorithm>;
  /** When it was last set. */
  set_at: number;
  deleted_at: number;
  deleted_by: string;
  deleted_cause: string | null;
}

export interface ImmutabilityRuleTable {
  id: Generated<number>;
  name: string;
  account: string | null;
  repository_glob: string;
  /** JSON list of globs. */
  except_tags: string;
  created_at: number;
  created_by: string;
  removed_at: number | null;
  removed_by: string | null;
}

export interface SbomRuleTable {
  id: Generated<number>;
  name: string;
  account: string | null;
  repository_glob: string;
  /** JSON list: `cyclonedx`, `spdx`. */
  formats: string;
  created_at: number;
  created_by: string;
  removed_at: number | null;
  removed_by: string | null;
}

/** Lists are JSON texts, durations milliseconds; null: the rule does not say. */
export interface RetentionRuleTable {
  id: Generated<number>;
  name: string;
  account: string | null;
  repository_glob: string;
  tags: string;
  keep_tags: string;
  keep_latest: number | null;
  keep_pushed_ms: number | null;
  keep_pulled_ms: number | null;
  untagged_ms: number | null;
  created_at: number;
  created_by: string;
  removed_at: number | null;
  removed_by: string | null;
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
  /** The process that alone has written its bytes; '' once another one may have. */
  writer: string;
  started_at: number;
  expires_at: number;
}
