/**
 * One pass over a layer: decompress, hash the whole (the diff id), walk the tar, hash each file, offer it to the
 * extractors, secrets and malware. What is wrong with the content never throws: it makes the layer *unknown*, with the reason, and what was
 * found before stays. The diff id is hashed to the last byte even when the walk ended earlier, at the archive's own
 * end or at a fault, because marks bind it; it is missing only when decompression or a limit ended the reading.
 *
 * What does throw: the source's own failures (the blob store is away; worth another try) and the caller's abort.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { abortable, type ByteSource } from '../lib/streams.ts';
import { TarParser } from '../lib/tar-parser.ts';
import { digestEnd } from '../oci/digest.ts';
import { isFilesystemLayer } from '../oci/media-types.ts';
import type { FingerprintKey } from '../secrets/fingerprint.ts';
import { Decompression } from './decompress.ts';
import { ExtractionRun } from './extraction-run.ts';
import type { Extractor } from './extractor.ts';
import type { InventoryPart, LayerInventory, LayerSummary } from './inventory.ts';
import { collectInventory } from './inventory-collect.ts';
import { type LayerLimits, LayerProblem, layerLimits } from './layer-problem.ts';
import { LayerSecrets } from './layer-secrets.ts';
import { chunked, LayerWalk } from './layer-walk.ts';
import { type MalwareEngine, type MalwareResult, type MalwareSession, malwareExtraction } from './malware.ts';

export interface ReadLayerOptions {
  readonly extractors: readonly Extractor[];
  readonly clock: Clock;
  readonly limits?: LayerLimits;
  /**
   * As the manifest states it. What is no file system by its type, and does not begin as a tar does, is *not applicable*;
   * a tar is read under whatever type, since there are runtimes that look at no type. Never tells the compression.
   */
  readonly mediaType?: string;
  /** Without it secrets are not looked for. */
  readonly fingerprintKey?: FingerprintKey;
  /** Without it malware is not looked for, and nothing said about it. */
  readonly malware?: MalwareEngine | undefined;
  /** Where a large file of the layer may lie meanwhile; without it the system's folder for such. */
  readonly spoolFolder?: string | undefined;
  /** Nobody else looks at a chunk of the source once the next was asked for. */
  readonly disposable?: boolean | undefined;
  /** Called after each chunk; may hold the thread up. */
  readonly rest?: (() => void) | undefined;
  readonly signal?: AbortSignal;
}

/** @throws the source's failures; the signal's reason. */
export function readLayer(source: ByteSource, options: ReadLayerOptions): Promise<LayerInventory> {
  return collectInventory(readLayerParts(source, options));
}

/** @throws the source's failures; the signal's reason. */
export async function* readLayerParts(
  source: ByteSource,
  options: ReadLayerOptions,
): AsyncGenerator<InventoryPart> {
  const reading = new LayerReading(source, options);
  try {
    yield* reading.parts();
  } finally {
    reading.close();
  }
}

class LayerReading {
  readonly #limits: LayerLimits;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #decompression: Decompression;
  readonly #run: ExtractionRun;
  readonly #secrets: LayerSecrets;
  readonly #malware: MalwareSession | undefined;
  readonly #walk: LayerWalk;
  readonly #rest: (() => void) | undefined;
  readonly #parser: TarParser;
  readonly #hash = createHash('sha256');
  /** No file system by its media type, which is given. */
  readonly #otherType: string | undefined;
  /** Ended the walk. */
  #walkProblem: string | undefined;
  /** Ended the reading. */
  #readProblem: string | undefined;

  constructor(source: ByteSource, options: ReadLayerOptions) {
    this.#limits = options.limits ?? layerLimits;
    this.#clock = options.clock;
    this.#rest = options.rest;
    this.#startMs = options.clock.bootMs();
    const { disposable, mediaType } = options;
    this.#otherType = mediaType === undefined || isFilesystemLayer(mediaType) ? undefined : mediaType;
    this.#decompression = new Decompression(abortable(source, options.signal), this.#limits, { disposable });
    this.#run = new ExtractionRun(options.extractors, this.#limits, options.spoolFolder);
    this.#secrets = new LayerSecrets(options.fingerprintKey, this.#limits);
    this.#malware = options.malware?.begin();
    const listeners = { run: this.#run, secrets: this.#secrets, malware: this.#malware };
    this.#walk = new LayerWalk(listeners, this.#limits);
    this.#parser = new TarParser(this.#walk, {
      headerBytesMax: this.#limits.layerHeaderBytesMax,
      problem: (message) => new LayerProblem(message),
    });
  }

  async *parts(): AsyncGenerator<InventoryPart> {
    try {
      for await (const chunk of this.#decompression) {
        this.#checkTime();
        this.#hash.update(chunk);
        this.#walkOn(() => this.#parser.push(chunk));
        await this.#malware?.ready();
        if (this.#isNoTar()) break;
        yield* this.#walk.parts();
        this.#rest?.();
      }
      this.#walkOn(() => this.#parser.end());
    } catch (error) {
      if (!(error instanceof LayerProblem)) throw error;
      this.#readProblem = error.message;
    }
    yield* this.#walk.lastParts();
    const malware = await this.#malware?.end();
    if (this.#otherType !== undefined && this.#readProblem === undefined && this.#walk.entries === 0)
      yield { kind: 'summary', summary: notApplicable(this.#otherType) };
    else yield* this.#conclusion(malware);
  }

  close(): void {
    this.#run.close();
    this.#malware?.close();
  }

  /** Then no runtime makes files of it either, and the rest need not be read. */
  #isNoTar(): boolean {
    return this.#otherType !== undefined && this.#walkProblem !== undefined && this.#walk.entries === 0;
  }

  *#conclusion(malware: MalwareResult | undefined): Generator<InventoryPart> {
    const reason = this.#readProblem ?? this.#walkProblem ?? this.#walk.problem;
    const { packages, extractions, os } = this.#run.result(reason);
    const found = this.#secrets.result(reason);
    for (const some of chunked(packages)) yield { kind: 'packages', packages: some };
    for (const some of chunked(found.secrets)) yield { kind: 'secrets', secrets: some };
    for (const some of chunked(malware?.found ?? [])) yield { kind: 'malware', malware: some };
    const summary: LayerSummary = {
      state: reason === undefined ? 'done' : 'unknown',
      ...(reason === undefined ? {} : { reason }),
      ...(this.#readProblem === undefined ? { diffId: digestEnd(this.#hash, 'sha256') } : {}),
      uncompressedBytes: this.#decompression.uncompressedBytes,
      entries: this.#walk.entries,
      extractions: [
        ...extractions,
        ...found.extractions,
        ...(malware === undefined ? [] : [malwareExtraction(malware, reason)]),
      ],
      ...(os === undefined ? {} : { os }),
    };
    yield { kind: 'summary', summary };
  }

  #walkOn(step: () => void): void {
    if (this.#walkProblem !== undefined) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof LayerProblem)) throw error;
      this.#walkProblem = error.message;
    }
  }

  #checkTime(): void {
    const { layerInspectMs } = this.#limits;
    const tookMs = this.#clock.bootMs() - this.#startMs;
    if (tookMs > layerInspectMs) throw new LayerProblem(`time over: not read within ${layerInspectMs} ms`);
    // An engine that is slow must not cost what everything else finds.
    if (tookMs > layerInspectMs / 2)
      this.#malware?.stop(`time over: not everything was looked at within ${layerInspectMs / 2} ms`);
  }
}

function notApplicable(mediaType: string): LayerSummary {
  const reason = `${mediaType} is no file system`;
  return { state: 'notApplicable', reason, uncompressedBytes: 0, entries: 0, extractions: [] };
}
