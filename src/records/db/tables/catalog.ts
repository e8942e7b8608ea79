import type { ColumnType, Generated } from 'kysely';

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
