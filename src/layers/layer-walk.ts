import { createHash, type Hash, hash } from 'node:crypto';
import type { TarEntry, TarListener } from '../lib/tar-parser.ts';
import { normalPath, pathDepth, pathMeaning } from './entry-path.ts';
import type { ExtractionRun } from './extraction-run.ts';
import type { EntryHeader } from './extractor.ts';
import { archivesOf } from './found-archives.ts';
import { HardLinks } from './hard-links.ts';
import { heldBytes } from './held-text.ts';
import type { FileKind, InventoryPart, LayerFile } from './inventory.ts';
import { type LayerLimits, LayerProblem } from './layer-problem.ts';
import type { FileSecrets, LayerSecrets } from './layer-secrets.ts';
import type { MalwareFile, MalwareSession } from './malware.ts';
import type { WantedFile } from './wanted-file.ts';

/** Records in one part of the inventory: small enough to be one short transaction, large enough to be cheap. */
export const partRecords = 2_000;

const emptyFile = createHash('sha256').digest();

/** A file whose data is arriving. */
interface OpenFile {
  readonly header: EntryHeader;
  readonly wanted: WantedFile | undefined;
  readonly secrets: FileSecrets | undefined;
  readonly malware: MalwareFile | undefined;
  readonly sparse: boolean;
  gotBytes: number;
  /** Only of files that arrive in several pieces. */
  hash?: Hash;
  sha256?: Uint8Array;
}

/** Turns tar entries into records and hands wanted files to the extractors. */
export class LayerWalk implements TarListener {
  entries = 0;
  /** The first path that was over a limit; such an entry is left out and the walk goes on. */
  problem: string | undefined;
  readonly #run: ExtractionRun;
  readonly #secrets: LayerSecrets;
  readonly #malware: MalwareSession | undefined;
  readonly #limits: LayerLimits;
  #batch = new Map<string, LayerFile>();
  readonly #full: InventoryPart[] = [];
  readonly #hiders = new Map<string, LayerFile>();
  readonly #hardLinks: HardLinks;
  #hidersBytes = 0;
  readonly #archivesSeen = new Map<string, 'whole' | 'part'>();
  #open: OpenFile | undefined;

  constructor(
    listeners: { run: ExtractionRun; secrets: LayerSecrets; malware: MalwareSession | undefined },
    limits: LayerLimits,
  ) {
    this.#run = listeners.run;
    this.#secrets = listeners.secrets;
    this.#malware = listeners.malware;
    this.#limits = limits;
    this.#hardLinks = new HardLinks(limits.layerHeldBytesMax);
  }

  /** The parts that are full by now. */
  *parts(): Generator<InventoryPart> {
    for (let part = this.#full.shift(); part !== undefined; part = this.#full.shift()) yield part;
  }

  /** After the last entry: what is left, then what hides, then what has the content of another path. */
  *lastParts(): Generator<InventoryPart> {
    this.#flush();
    yield* this.parts();
    for (const files of chunked(this.#hiders.values())) yield { kind: 'hiders', files };
    for (const links of chunked(this.#hardLinks)) yield { kind: 'hardLinks', links };
  }

  entry(entry: TarEntry): void {
    this.#open = undefined;
    this.entries += 1;
    if (this.entries > this.#limits.layerEntriesMax)
      throw new LayerProblem(`too many entries: more than ${this.#limits.layerEntriesMax}`);
    const path = normalPath(entry.rawPath);
    const tooMuch = this.#pathProblem(path);
    if (tooMuch !== undefined) {
      this.problem ??= tooMuch;
      return;
    }
    const meaning = pathMeaning(path);
    if (meaning.kind === 'entry') this.#real(path, entry);
    else if (meaning.kind !== 'skip') this.#hider(meaning.path, meaning.kind);
  }

  data(bytes: Uint8Array): void {
    const file = this.#open;
    if (file === undefined || file.sparse) return;
    if (file.gotBytes === 0 && bytes.length === file.header.sizeBytes)
      file.sha256 = hash('sha256', bytes, 'buffer');
    else {
      file.hash ??= createHash('sha256');
      file.hash.update(bytes);
    }
    file.gotBytes += bytes.length;
    file.wanted?.push(bytes);
    file.secrets?.push(bytes);
    file.malware?.push(bytes);
  }

  entryEnd(): void {
    const file = this.#open;
    if (file === undefined) return;
    if (!file.sparse && file.header.sizeBytes === 0) file.sha256 = emptyFile;
    if (file.hash !== undefined) file.sha256 = file.hash.digest();
    file.wanted?.end();
    file.secrets?.end();
    file.malware?.end();
    if (file.wanted !== undefined && file.sha256 !== undefined) this.#archives(file.sha256);
    const { path, sizeBytes, mode } = file.header;
    this.#record(
      file.sha256 === undefined
        ? { path, kind: 'file', sizeBytes, mode }
        : { path, kind: 'file', sizeBytes, mode, sha256: file.sha256 },
    );
    this.#open = undefined;
  }

  /** Each content once: a layer may have the same archive, or archives with the same in them, many times. */
  #archives(sha256: Uint8Array): void {
    for (const read of this.#run.takeArchives())
      for (const archive of archivesOf({ ...read, sha256 })) {
        const key = Buffer.from(archive.sha256).toString('base64');
        // That which lies in another was read without what it holds in turn.
        if (
          this.#archivesSeen.get(key) === 'whole' ||
          (this.#archivesSeen.has(key) && archive.nested.length === 0)
        )
          continue;
        if (this.#archivesSeen.size < this.#limits.layerArchivesRemembered)
          this.#archivesSeen.set(key, archive.sha256 === sha256 ? 'whole' : 'part');
        this.#full.push({ kind: 'archive', archive });
      }
  }

  #real(path: string, entry: TarEntry): void {
    // The root itself says nothing that a reader could ask for.
    if (path === '') return;
    this.#run.forget(path);
    this.#hardLinks.replaced(path);
    const { type: kind, sizeBytes, mode, sparse } = entry;
    if (kind === 'file') {
      const header = { path, kind, sizeBytes, mode };
      // A sparse file has holes, which are zeros: it is binary.
      const secrets = sparse ? undefined : this.#secrets.open(header);
      const malware = this.#malware?.open(header, sparse);
      this.#open = { header, wanted: this.#run.open(header, sparse), secrets, malware, sparse, gotBytes: 0 };
      return;
    }
    if (kind === 'hardlink') {
      const target = normalPath(entry.linkPath);
      this.#run.link({ path, kind, sizeBytes: 0, mode }, target);
      this.#hardLinks.add(path, target);
    }
    if (kind === 'link') this.#run.link({ path, kind, sizeBytes: 0, mode }, entry.linkPath);
    this.#record({ path, kind, sizeBytes: 0, mode });
  }

  #record(file: LayerFile): void {
    this.#batch.set(file.path, file);
    if (this.#batch.size >= partRecords) this.#flush();
  }

  #flush(): void {
    if (this.#batch.size === 0) return;
    this.#full.push({ kind: 'files', files: [...this.#batch.values()] });
    this.#batch = new Map();
  }

  #hider(path: string, kind: FileKind & ('whiteout' | 'opaque')): void {
    const before = this.#hiders.get(path);
    if (before === undefined) {
      this.#hidersBytes += heldBytes([path]);
      const { layerHeldBytesMax: bytesMax } = this.#limits;
      if (this.#hidersBytes > bytesMax)
        throw new LayerProblem(`too many whiteouts: more than ${bytesMax} bytes of them`);
    }
    if (before?.kind !== 'opaque') this.#hiders.set(path, { path, kind, sizeBytes: 0, mode: 0 });
  }

  #pathProblem(path: string): string | undefined {
    const { layerPathBytesMax: bytesMax, layerPathDepthMax: depthMax } = this.#limits;
    // The cheap tests come first: no path of n characters has more than 3n bytes, or more than n / 2 + 1 parts.
    if (path.length * 3 > bytesMax && Buffer.byteLength(path) > bytesMax)
      return `path too long: more than ${bytesMax} bytes in ${path.slice(0, 80)}…`;
    if (path.length > depthMax && pathDepth(path) > depthMax)
      return `path too deep: more than ${depthMax} folders in ${path.slice(0, 80)}…`;
    return undefined;
  }
}

export function* chunked<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < partRecords) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
