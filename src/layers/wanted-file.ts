import type { Spool } from '../lib/spool.ts';
import type { EntryHeader, FileContent } from './extractor.ts';
import { collectorFor, contentOf, type FileCollector } from './file-content.ts';
import type { LayerLimits } from './layer-problem.ts';

export interface WantedFileOptions {
  readonly entry: EntryHeader;
  /** Asked once, with the first bytes. @returns what is to be done with the whole file, if anything is */
  decide(start: Uint8Array): ((content: FileContent) => void) | undefined;
  readonly spool: Spool;
  readonly limits: LayerLimits;
}

/**
 * A file that extractors want, while its bytes arrive: it keeps the start until they have decided whether it is theirs,
 * then everything or nothing.
 */
export class WantedFile {
  readonly #options: WantedFileOptions;
  /** Of which the extractors see the first bytes; undefined once they have. */
  #start: Buffer | undefined;
  readonly #startBytes: number;
  #use: ((content: FileContent) => void) | undefined;
  #whole: Uint8Array | undefined;
  #collector: FileCollector | undefined;

  constructor(options: WantedFileOptions) {
    this.#options = options;
    this.#start = Buffer.alloc(0);
    this.#startBytes = Math.min(options.entry.sizeBytes, options.limits.extractStartBytes);
  }

  push(bytes: Uint8Array): void {
    if (this.#start === undefined) this.#collector?.push(bytes);
    else if (this.#start.length === 0 && bytes.length >= this.#startBytes) this.#started(bytes);
    else {
      const start = Buffer.concat([this.#start, bytes]);
      this.#start = start;
      if (start.length >= this.#startBytes) this.#started(start);
    }
  }

  /** To be called when all bytes have come, and before what the last `push` was given is overwritten. */
  end(): void {
    if (this.#start !== undefined) this.#started(this.#start);
    const content: FileContent | undefined =
      this.#whole === undefined ? this.#collector?.content() : contentOf(this.#whole, this.#options.limits);
    if (content !== undefined) this.#use?.(content);
    this.#collector?.done();
  }

  #started(bytes: Uint8Array): void {
    const { entry, spool, limits } = this.#options;
    this.#start = undefined;
    this.#use = this.#options.decide(bytes.subarray(0, this.#startBytes));
    if (this.#use === undefined) return;
    if (bytes.length === entry.sizeBytes) this.#whole = bytes;
    else {
      this.#collector = collectorFor(entry.sizeBytes, spool, limits);
      this.#collector.push(bytes);
    }
  }
}
