import type { FoundPackage, OsRelease } from './inventory.ts';

/**
 * Reads one format. Pure: it sees the header and the bytes of an entry, and has no network, file system or clock.
 * It is given whole files, at most `limits.extractFileBytesMax` long: databases and archives are read back and forth,
 * and what one layer holds of them is small. A file beyond that, a sparse file and a link (whose target may be in
 * another layer) make this extractor's result for the layer *unknown*, so `wants` must ask for no more than it needs.
 *
 * What it throws makes its own result *unknown* as well, and costs the other extractors nothing.
 */
export interface Extractor {
  /** Stays the same for ever: rows carry it. */
  readonly name: string;
  /** Higher whenever the same bytes would give another result; layers of older versions are then read again. */
  readonly version: number;
  /** Asked for every file and link of every layer: look at the path first. */
  wants(entry: EntryHeader): boolean;
  /** `bytes` are valid during the call only. */
  extract(entry: EntryHeader, bytes: Uint8Array): Extracted;
  /** Called for each package once the layer has been read, for what depends on a file elsewhere in the layer. */
  complete?(found: FoundPackage, os: OsRelease | undefined): FoundPackage;
}

export interface EntryHeader {
  /** From the image's root, without a leading slash. */
  readonly path: string;
  readonly kind: 'file' | 'hardlink' | 'link';
  readonly sizeBytes: number;
  readonly mode: number;
}

export interface Extracted {
  readonly packages?: readonly ExtractedPackage[];
  readonly os?: OsRelease;
  /** What of this file could not be read, while the rest could: the result becomes *unknown*, what was found stays. */
  readonly problem?: string;
}

/** The path and the extractor's name are added by whoever called it. */
export type ExtractedPackage = Omit<FoundPackage, 'path' | 'extractor'>;
