import type { Digest } from '../../oci/digest.ts';

/** What is inside one layer, as one read of it found. Written down once; never read from the layer again. */
export interface LayerInventory {
  readonly state: 'done' | 'unknown' | 'notApplicable';
  /** Why it is not `done`: a sentence for a person. */
  readonly reason?: string;
  /** The hash of the uncompressed tar. */
  readonly diffId?: Digest;
  readonly uncompressedBytes: number;
  readonly entries: number;
  readonly extractions: readonly Extraction[];
  readonly files: readonly LayerFile[];
  readonly packages: readonly FoundPackage[];
}

/** How one extractor fared with this layer. A failure marks its own result unknown and takes nothing else down. */
export interface Extraction {
  readonly extractor: string;
  readonly version: number;
  readonly state: 'done' | 'unknown';
  readonly reason?: string;
}

export type FileKind = 'file' | 'directory' | 'link' | 'hardlink' | 'device' | 'whiteout' | 'opaque';

/** Paths are relative to the image's root, without a leading slash; a whiteout's path is the path that it hides. */
export interface LayerFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  /** Of regular files. */
  readonly sha256?: Uint8Array;
}

/** A package as its own database or metadata names it. */
export interface FoundPackage {
  /** Canonical, with version, without qualifiers that are not part of its identity but `arch` and `epoch`. */
  readonly purl: string;
  /** OSV's ecosystem name where it is known from the package alone (`npm`); for dpkg it comes from os-release later. */
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
