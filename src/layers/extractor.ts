import type { ArchiveMember, FoundPackage, OsRelease } from './inventory.ts';

/**
 * Reads one format. Pure: it sees the header and the bytes of an entry, and has no network, file system or clock.
 * Whether a file is its own is decided in up to three steps, each dearer than the one before: `wants` sees the header,
 * `accepts` the first bytes, `extract` everything.
 *
 * A wanted file that can't be had makes this extractor's result for the layer *unknown*: one over `fileBytesMax`, a
 * sparse file, a link (whose target may be in another layer). What it throws makes its result *unknown* as well, and
 * costs the other extractors nothing.
 */
export interface Extractor {
  /** Stays the same for ever: rows carry it. */
  readonly name: string;
  /** Higher whenever the same bytes would give another result; layers of older versions are then read again. */
  readonly version: number;
  /**
   * The largest file that it reads; without it `limits.extractFileBytesMax`, and never more than
   * `limits.extractSpoolBytesMax`. Ask for more than the former only with an `extract` that seeks.
   */
  readonly fileBytesMax?: number;
  /** Asked for every file and link of every layer: look at the path first. */
  wants(entry: EntryHeader): boolean;
  /**
   * Asked once, with the first bytes of a file that it wants: all of them, or `limits.extractStartBytes`. For formats
   * that a path does not tell: so `wants` may say yes to each executable file, and few are kept. Not being accepted is
   * no problem, also of a file over the limit.
   */
  accepts?(start: Uint8Array): boolean;
  /** `content` is valid during the call only. */
  extract(entry: EntryHeader, content: FileContent): Extracted;
  /** Called for each package once the layer has been read, for what depends on a file elsewhere in the layer. */
  complete?(found: FoundPackage, layer: ReadLayer): FoundPackage;
}

/** What this extractor's files, and os-release, say about a layer as a whole. */
export interface ReadLayer {
  readonly os: OsRelease | undefined;
  /** What `Extracted.stated` said, by package. */
  readonly licenses: ReadonlyMap<string, string>;
}

export interface EntryHeader {
  /** From the image's root, without a leading slash. */
  readonly path: string;
  readonly kind: 'file' | 'hardlink' | 'link';
  readonly sizeBytes: number;
  readonly mode: number;
}

/** A whole file, at hand. What it gives must not be changed, and not be kept: copy what outlives the call. */
export interface FileContent {
  readonly sizeBytes: number;
  /**
   * The bytes from `offset` on: `length` of them, fewer where the file ends, none beyond.
   * @throws ContentProblem for more than `limits.extractFileBytesMax` at once
   */
  read(offset: number, length: number): Uint8Array;
  /** @throws ContentProblem for a file over `limits.extractFileBytesMax`, which is to be read piece by piece */
  all(): Uint8Array;
}

export interface Extracted {
  readonly packages?: readonly ExtractedPackage[];
  readonly os?: OsRelease;
  /** What a file says of a package that another file lists. */
  readonly stated?: { readonly package: string; readonly license: string };
  /** What is in the file, if it is an archive. Given once per distinct content: never dependent on the entry. */
  readonly members?: readonly ArchiveMember[];
  /**
   * What the file is where a hard link to it has a path of the extractor's own, if that is something else: a package manager
   * may keep contents in a store, under names that say nothing, and link them to where they are installed.
   */
  readonly linked?: Extracted;
  /** What of this file could not be read, while the rest could: the result becomes *unknown*, what was found stays. */
  readonly problem?: string;
}

/** The path and the extractor's name are added by whoever called it. */
export interface ExtractedPackage extends Omit<FoundPackage, 'path' | 'extractor'> {
  /** Where in the file it was found, if that is an archive: `BOOT-INF/lib/a.jar`; its path is then `app.jar!/BOOT-INF/lib/a.jar`. */
  readonly member?: string;
}
