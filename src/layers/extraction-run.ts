/**
 * The extractors' work on one layer. Results are kept per path until the layer has ended, since the last entry of a
 * path wins, whatever it is; what has been found survives whatever goes wrong elsewhere.
 */
import { LazaretError } from '../lib/errors.ts';
import { Spool } from '../lib/spool.ts';
import { memberPath } from './entry-path.ts';
import type { EntryHeader, Extracted, ExtractedPackage, Extractor, FileContent } from './extractor.ts';
import { heldBytes, heldOfExtracted } from './held-text.ts';
import type { ArchiveMember, Extraction, FoundPackage, OsRelease } from './inventory.ts';
import type { LayerLimits } from './layer-problem.ts';
import { WantedFile } from './wanted-file.ts';

export interface ExtractionResult {
  readonly extractions: readonly Extraction[];
  readonly packages: readonly FoundPackage[];
  readonly os?: OsRelease;
}

interface ReadArchive {
  readonly members: readonly ArchiveMember[];
  readonly version: number;
}

interface Work {
  readonly extractor: Extractor;
  readonly found: Map<string, Extracted>;
  /** The first problem's sentence is kept, the others are counted. */
  problem: string | undefined;
  problems: number;
}

const nothing: Extracted = {};

export class ExtractionRun {
  readonly #works: readonly Work[];
  readonly #limits: LayerLimits;
  readonly #spool: Spool;
  readonly #archives: ReadArchive[] = [];
  #packages = 0;
  #heldBytes = 0;
  #lookedIntoBytes = 0;

  constructor(extractors: readonly Extractor[], limits: LayerLimits, spoolFolder?: string) {
    this.#spool = new Spool(spoolFolder);
    this.#works = extractors.map((extractor) => ({
      extractor,
      found: new Map(),
      problem: undefined,
      problems: 0,
    }));
    this.#limits = limits;
  }

  /** Whatever was found at this path is no longer what the layer has there. */
  forget(path: string): void {
    for (const { found } of this.#works) {
      const old = found.get(path);
      if (old === undefined) continue;
      this.#packages -= old.packages?.length ?? 0;
      if (old === nothing) this.#lookedIntoBytes -= heldBytes([path]);
      else this.#heldBytes -= heldOfExtracted(path, old);
      found.delete(path);
    }
  }

  /** A file whose bytes are to be handed over as they arrive; undefined when nobody wants them, or they can't be had. */
  open(entry: EntryHeader, sparse: boolean): WantedFile | undefined {
    const works = this.#works.filter((work) => wants(work, entry));
    if (works.length === 0) return undefined;
    if (!sparse) {
      const decide = (start: Uint8Array) => this.#decide(works, entry, start);
      return new WantedFile({ entry, decide, spool: this.#spool, limits: this.#limits });
    }
    for (const work of works) note(work, entry.path, 'a sparse file, which is not read');
    return undefined;
  }

  /** What the files that were read since the last call hold, if they are archives. */
  takeArchives(): readonly ReadArchive[] {
    return this.#archives.splice(0);
  }

  /** Links have no bytes: a hard link to what was read here has the same content, any other can't be followed. */
  link(entry: EntryHeader, targetPath: string): void {
    for (const work of this.#works) {
      if (!wants(work, entry)) continue;
      const same = entry.kind === 'hardlink' ? work.found.get(targetPath) : undefined;
      if (same === undefined) note(work, entry.path, `a link to ${targetPath}, which is not followed`);
      else this.#keep(work, entry.path, same.linked ?? same);
    }
  }

  /** `layerProblem`: why the layer could not be read to its end, so that nobody saw all of it. */
  result(layerProblem: string | undefined): ExtractionResult {
    const os = this.#os();
    const packages = this.#works.flatMap((work) => packagesOf(work, os));
    const extractions = this.#works.map((work) => extractionOf(work, layerProblem));
    return { extractions, packages, ...(os === undefined ? {} : { os }) };
  }

  close(): void {
    this.#spool.close();
  }

  #decide(works: readonly Work[], entry: EntryHeader, start: Uint8Array) {
    const accepting = works.filter((work) => this.#takes(work, entry, start));
    if (accepting.length === 0) return undefined;
    return (content: FileContent) => {
      for (const work of accepting) this.#extract(work, entry, content);
    };
  }

  #takes(work: Work, entry: EntryHeader, start: Uint8Array): boolean {
    if (!accepts(work, entry, start)) {
      this.#keep(work, entry.path, nothing);
      return false;
    }
    const bytesMax = this.#bytesMax(work.extractor);
    if (entry.sizeBytes <= bytesMax) return true;
    note(work, entry.path, `${entry.sizeBytes} bytes; at most ${bytesMax} are read`);
    return false;
  }

  /** @throws unavailable when the content can't be read for a reason that is not the layer's */
  #extract(work: Work, entry: EntryHeader, content: FileContent): void {
    try {
      const { members = [], ...extracted } = work.extractor.extract(entry, content);
      if (members.length > 0) this.#archives.push({ members, version: work.extractor.version });
      this.#keep(work, entry.path, extracted);
    } catch (error) {
      if (error instanceof LazaretError && error.code === 'unavailable') throw error;
      note(work, entry.path, messageOf(error));
    }
  }

  #bytesMax({ fileBytesMax = this.#limits.extractFileBytesMax }: Extractor): number {
    return Math.min(fileBytesMax, this.#limits.extractSpoolBytesMax);
  }

  #keep(work: Work, path: string, whole: Extracted): void {
    if (isNothing(whole)) {
      this.#keepNothing(work, path);
      return;
    }
    const extracted = this.#nameable(whole);
    const tooMuch = this.#take(path, extracted);
    if (tooMuch === undefined) work.found.set(path, extracted);
    const problem = tooMuch ?? extracted.problem;
    if (problem !== undefined) note(work, path, problem);
  }

  /** @returns why it can't be kept; undefined if it can, and is counted */
  #take(path: string, extracted: Extracted): string | undefined {
    const { layerPackagesMax, layerHeldBytesMax } = this.#limits;
    const packages = this.#packages + (extracted.packages?.length ?? 0);
    if (packages > layerPackagesMax) return `more than ${layerPackagesMax} packages in this layer`;
    const bytes = this.#heldBytes + heldOfExtracted(path, extracted);
    if (bytes > layerHeldBytesMax) return `more than ${layerHeldBytesMax} bytes of packages in this layer`;
    this.#packages = packages;
    this.#heldBytes = bytes;
    return undefined;
  }

  /** Files in which nothing was found are remembered for hard links only, and there may be as many as the layer has. */
  #keepNothing({ found }: Work, path: string): void {
    const bytes = heldBytes([path]);
    if (found.get(path) === nothing || this.#lookedIntoBytes + bytes > this.#limits.layerHeldBytesMax) return;
    this.#lookedIntoBytes += bytes;
    found.set(path, nothing);
  }

  /** Packages whose names no index takes are not even held until the layer has ended. */
  #nameable(extracted: Extracted): Extracted {
    const { packages, problem = 'a package whose name is too long' } = extracted;
    const lengthMax = this.#limits.packageNameLengthMax;
    const kept = packages?.filter((found) => isNameable(found, lengthMax));
    return packages === undefined || kept?.length === packages.length
      ? extracted
      : { ...extracted, packages: kept ?? [], problem };
  }

  /** os-release(5): `etc/os-release` comes before `usr/lib/os-release`, which is also the order of the paths. */
  #os(): OsRelease | undefined {
    const found = this.#works
      .flatMap((work) => [...work.found])
      .filter(([, extracted]) => extracted.os !== undefined);
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    return found[0]?.[1].os;
  }
}

function isNothing({ packages = [], os, stated, linked, problem }: Extracted): boolean {
  return packages.length === 0 && [os, stated, linked, problem].every((what) => what === undefined);
}

function accepts(work: Work, entry: EntryHeader, start: Uint8Array): boolean {
  try {
    return work.extractor.accepts?.(start) ?? true;
  } catch (error) {
    note(work, entry.path, messageOf(error));
    return false;
  }
}

function isNameable(
  { purl, name, version, sourceName = '', sourceVersion = '' }: ExtractedPackage,
  lengthMax: number,
): boolean {
  return [purl, name, version, sourceName, sourceVersion].every((text) => text.length <= lengthMax);
}

function wants(work: Work, entry: EntryHeader): boolean {
  try {
    return work.extractor.wants(entry);
  } catch (error) {
    note(work, entry.path, messageOf(error));
    return false;
  }
}

function packagesOf(work: Work, os: OsRelease | undefined): FoundPackage[] {
  const { extractor } = work;
  const packages: FoundPackage[] = [];
  const layer = { os, licenses: licensesOf(work) };
  for (const [path, extracted] of work.found) {
    for (const { member, ...item } of extracted.packages ?? []) {
      const place = member === undefined ? path : memberPath(path, member);
      const found = { ...item, path: place, extractor: extractor.name };
      packages.push(extractor.complete === undefined ? found : extractor.complete(found, layer));
    }
  }
  return packages;
}

function licensesOf({ found }: Work): ReadonlyMap<string, string> {
  const licenses = new Map<string, string>();
  for (const { stated } of found.values()) if (stated) licenses.set(stated.package, stated.license);
  return licenses;
}

function extractionOf(work: Work, layerProblem: string | undefined): Extraction {
  const { name, version } = work.extractor;
  if (layerProblem !== undefined) return { extractor: name, version, state: 'unknown', reason: layerProblem };
  if (work.problem === undefined) return { extractor: name, version, state: 'done' };
  const more = work.problems > 1 ? ` (and ${work.problems - 1} more)` : '';
  return { extractor: name, version, state: 'unknown', reason: `${work.problem}${more}` };
}

function note(work: Work, path: string, problem: string): void {
  work.problems += 1;
  work.problem ??= `${path}: ${problem}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
