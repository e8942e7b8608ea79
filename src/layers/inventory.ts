import type { Digest } from '../oci/digest.ts';

/** What is inside one layer, as one read of it found. Written down once; never read from the layer again. */
export interface LayerInventory extends LayerSummary {
  readonly files: readonly LayerFile[];
  readonly packages: readonly FoundPackage[];
  readonly secrets: readonly LayerSecret[];
  readonly malware: readonly FoundMalware[];
  readonly archives: readonly FoundArchive[];
}

/**
 * An inventory in pieces, so that a layer of a million files is never in memory whole. In this order: `files`,
 * `hiders`, `packages`, `secrets`, `malware`, each none or several times, then one `summary`. How they add up to one record per path:
 *
 * - `files`: within a part every path is there once; a path that a former part had as well replaces that record (in a
 *   tar the last one wins).
 * - `hiders` (whiteouts and opaque folders): a path that has a record already keeps it, but a `directory` becomes
 *   `opaque`: a file that hides its own path needs no whiteout, and a whiteout takes no file of its own layer away.
 *
 * A summary whose state is `unknown` takes nothing back: what was found is there, only not everything was.
 */
export type InventoryPart =
  | { readonly kind: 'archive'; readonly archive: FoundArchive }
  | { readonly kind: 'files'; readonly files: readonly LayerFile[] }
  | { readonly kind: 'hiders'; readonly files: readonly LayerFile[] }
  /** After all files. */
  | { readonly kind: 'hardLinks'; readonly links: readonly HardLink[] }
  | { readonly kind: 'packages'; readonly packages: readonly FoundPackage[] }
  | { readonly kind: 'secrets'; readonly secrets: readonly LayerSecret[] }
  | { readonly kind: 'malware'; readonly malware: readonly FoundMalware[] }
  | { readonly kind: 'summary'; readonly summary: LayerSummary };

export interface LayerSummary {
  readonly state: 'done' | 'unknown' | 'notApplicable';
  /** Why it is not `done`: a sentence for a person. */
  readonly reason?: string;
  /** The hash of the uncompressed tar. */
  readonly diffId?: Digest;
  readonly uncompressedBytes: number;
  readonly entries: number;
  readonly extractions: readonly Extraction[];
  /** The distribution, if this layer has an os-release; most layers have none and rely on one below. */
  readonly os?: OsRelease;
}

/** os-release(5): `ID`, `VERSION_ID`, `VERSION_CODENAME`, `PRETTY_NAME`. */
export interface OsRelease {
  readonly id: string;
  /** Rolling distributions have none. */
  readonly versionId?: string;
  readonly codename?: string;
  readonly prettyName?: string;
}

/** How one extractor fared with this layer. A failure marks its own result unknown and takes nothing else down. */
export interface Extraction {
  readonly extractor: string;
  readonly version: number;
  readonly state: 'done' | 'unknown';
  readonly reason?: string;
  /** It is unknown for no fault of the layer: another try may do better. */
  readonly again?: true;
}

export type FileKind = 'file' | 'directory' | 'link' | 'hardlink' | 'device' | 'whiteout' | 'opaque';

/**
 * Paths are relative to the image's root, without a leading slash; a whiteout's path is the path that it hides, an
 * opaque folder's path is the folder (empty: the root), below which it hides what lower layers have. Pipes count as devices.
 */
export interface LayerFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  /**
   * Of regular files; not of sparse ones, whose stored bytes are not what a reader of the file sees. A hard link gets that of
   * its target, and the size, when the layer has ended.
   */
  readonly sha256?: Uint8Array;
}

/** What has the content of a file that lies at another path of the layer: its size and hash are those of the target. */
export interface HardLink {
  readonly path: string;
  readonly target: string;
}

/** A file in an archive, or in an archive in it. */
export interface ArchiveMember {
  /** From the archive's root: `org/example/Main.class`, `BOOT-INF/lib/a.jar!/org/example/Main.class`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Not of what could not be unpacked. */
  readonly sha256?: Uint8Array;
}

/**
 * A distinct archive, by its content, with its own files in columns; what is in an archive in it is that archive's. Its
 * part comes at any place among the others, since no path needs it.
 */
export interface FoundArchive {
  readonly sha256: Uint8Array;
  /** Of the extractor that read it: a newer one may find more. */
  readonly version: number;
  readonly paths: readonly string[];
  readonly sizes: Float64Array<ArrayBuffer>;
  /** SHA-256, 32 bytes each; zeros of what could not be unpacked. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Archives in it at any depth, each content once. */
  readonly nested: readonly { readonly path: string; readonly sha256: Uint8Array }[];
}

/** A package as its own database or metadata names it. */
export interface FoundPackage {
  /**
   * Canonical, with version, and with those qualifiers only that tell packages apart: `arch`, `epoch`, `distro`, `platform`;
   * and with `from=file_name` where nothing but the name of a file says it.
   */
  readonly purl: string;
  /** OSV's name (`npm`, `Alpine:v3.18`); without its release, or empty, while a distribution's is not known. */
  readonly ecosystem: string;
  /** As advisories of that ecosystem name it (`@scope/name`). */
  readonly name: string;
  readonly version: string;
  /** The source package, which distributions' advisories name. */
  readonly sourceName?: string;
  readonly sourceVersion?: string;
  /** Where it was found. */
  readonly path: string;
  readonly extractor: string;
  readonly license?: string;
}

/** Where a secret is, and its fingerprint under the installation's key; never its value. */
export interface LayerSecret {
  /** One of `secretKinds`. */
  readonly kind: string;
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly fingerprint: Uint8Array;
  readonly keyVersion: number;
}

/** A file that a malware engine knows. */
export interface FoundMalware {
  readonly path: string;
  /** As the engine names it: `Unix.Trojan.Mirai-5607483-0`. */
  readonly signature: string;
}
