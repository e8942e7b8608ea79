/**
 * The extractors' work on one layer. Results are kept per path until the layer has ended, since the last entry of a
 * path wins, whatever it is; what has been found survives whatever goes wrong elsewhere.
 */
import type { EntryHeader, Extracted, Extractor } from './extractor.ts';
import type { Extraction, FoundPackage, OsRelease } from './inventory.ts';
import type { LayerLimits } from './layer-problem.ts';

export interface ExtractionResult {
  readonly extractions: readonly Extraction[];
  readonly packages: readonly FoundPackage[];
  readonly os?: OsRelease;
}

interface Work {
  readonly extractor: Extractor;
  readonly found: Map<string, Extracted>;
  /** The first problem's sentence is kept, the others are counted. */
  problem: string | undefined;
  problems: number;
}

export class ExtractionRun {
  readonly #works: readonly Work[];
  readonly #limits: LayerLimits;
  #packages = 0;

  constructor(extractors: readonly Extractor[], limits: LayerLimits) {
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
      found.delete(path);
    }
  }

  /** Who wants this file's bytes; empty also when they can't be had, which is then noted. */
  wanting(entry: EntryHeader, sparse: boolean): readonly Work[] {
    const works = this.#works.filter((work) => wants(work, entry));
    if (works.length === 0) return works;
    const bytesMax = this.#limits.extractFileBytesMax;
    const obstacle = sparse
      ? 'a sparse file, which is not read'
      : entry.sizeBytes > bytesMax
        ? `${entry.sizeBytes} bytes; at most ${bytesMax} are read`
        : undefined;
    if (obstacle === undefined) return works;
    for (const work of works) note(work, entry.path, obstacle);
    return [];
  }

  /** Links have no bytes: a hard link to what was read here has the same content, any other can't be followed. */
  link(entry: EntryHeader, targetPath: string): void {
    for (const work of this.#works) {
      if (!wants(work, entry)) continue;
      const same = entry.kind === 'hardlink' ? work.found.get(targetPath) : undefined;
      if (same === undefined) note(work, entry.path, `a link to ${targetPath}, which is not followed`);
      else this.#keep(work, entry.path, same);
    }
  }

  extract(works: readonly Work[], entry: EntryHeader, bytes: Uint8Array): void {
    for (const work of works) {
      try {
        this.#keep(work, entry.path, work.extractor.extract(entry, bytes));
      } catch (error) {
        note(work, entry.path, messageOf(error));
      }
    }
  }

  /** `layerProblem`: why the layer could not be read to its end, so that nobody saw all of it. */
  result(layerProblem: string | undefined): ExtractionResult {
    const os = this.#os();
    const packages = this.#works.flatMap((work) => packagesOf(work, os));
    const extractions = this.#works.map((work) => extractionOf(work, layerProblem));
    return { extractions, packages, ...(os === undefined ? {} : { os }) };
  }

  #keep(work: Work, path: string, extracted: Extracted): void {
    const count = extracted.packages?.length ?? 0;
    if (this.#packages + count > this.#limits.layerPackagesMax) {
      note(work, path, `more than ${this.#limits.layerPackagesMax} packages in this layer`);
      return;
    }
    this.#packages += count;
    work.found.set(path, extracted);
    if (extracted.problem !== undefined) note(work, path, extracted.problem);
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
  for (const [path, extracted] of work.found) {
    for (const item of extracted.packages ?? []) {
      const found = { ...item, path, extractor: extractor.name };
      packages.push(extractor.complete === undefined ? found : extractor.complete(found, os));
    }
  }
  return packages;
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
