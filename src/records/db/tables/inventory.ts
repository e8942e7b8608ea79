import type { ColumnType, Generated } from 'kysely';

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
  /** 1: all its text was looked through for secrets. */
  secrets_read: Generated<number>;
  /** 1: an engine looked through all its files for malware. */
  malware_read: Generated<number>;
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
  /** What stands for ecosystem and source where a package is told from others; empty without a source. */
  origin: Generated<string>;
  /** As the package says it: the first that was read of it. */
  license: string | null;
  /** The same as an SPDX expression; null where that is not understood (src/licences). */
  spdx: string | null;
  first_seen_at: number;
}

/** A view, to read from: paths are kept in `folders` and `folder_entries`, and found there (records/inventory/paths.ts). */
export interface PathView {
  id: ColumnType<number, never, never>;
  path: ColumnType<string, never, never>;
}

/** `sha256` is found by its first bytes as well: `substr(sha256, 1, 6)` is indexed. */
export interface LayerFileTable {
  blob_id: number;
  path_id: number;
  kind: 'file' | 'directory' | 'link' | 'hardlink' | 'device' | 'whiteout' | 'opaque';
  size_bytes: number;
  mode: number;
  sha256: Uint8Array | null;
}

/** A distinct archive; `version` is 0 until all its files are kept. */
export interface ArchiveTable {
  id: Generated<number>;
  sha256: Uint8Array;
  version: number;
  /** When a layer was last read that has it, to within a part of `archiveRestMs`. */
  seen_at: number;
  /** When a layer that has it was last forgotten, and nobody has looked since whether another has it. */
  let_go_at: ColumnType<number | null, number | null | undefined, number | null>;
}

/** Its own files; what is in an archive in it is that archive's. Without a hash what could not be unpacked. */
export interface ArchiveFileTable {
  archive_id: number;
  path_id: number;
  size_bytes: number;
  sha256: Uint8Array | null;
}

/** The image's view: what all its layers together show. */
export interface ImageTable {
  manifest_id: number;
  /** `pending`: there is no view yet. */
  state: 'pending' | 'done' | 'unknown' | 'notApplicable';
  /** How many things have come to be known since the view was made; 0: it is not to be made. */
  wanted: Generated<number>;
  /** The oldest inventory version among the layers that it was made of; 0: none was read in this region. */
  version: Generated<number>;
  reason: string | null;
  os: string | null;
  /** JSON: whose advisories its packages need (records/inventory/image-ecosystems.ts); null until it was inspected. */
  ecosystems: ColumnType<string | null, string | null | undefined, string | null>;
  config: string | null;
  /** Of all its layers (src/oci/chain-id.ts), as they were read; null: one of them could not be. */
  chain_id: string | null;
  created_at: number | null;
  inspected_at: number | null;
}

/** Where a layer has a secret, by the fingerprint of its value. */
export interface LayerSecretTable {
  id: Generated<number>;
  blob_id: number;
  path_id: number;
  line: number;
  kind: string;
  fingerprint: Uint8Array;
  key_version: number;
}

/** The same of an image's config: its environment, history, labels and commands. */
export interface ImageSecretTable {
  id: Generated<number>;
  manifest_id: number;
  /** `config:Env/TOKEN` */
  place: string;
  kind: string;
  fingerprint: Uint8Array;
  key_version: number;
}

/** Where a layer has a file that a malware engine knows. */
export interface LayerMalwareTable {
  id: Generated<number>;
  blob_id: number;
  path_id: number;
  signature: string;
}
