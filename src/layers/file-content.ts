/**
 * A wanted file while it arrives, and as extractors read it then. Small files are kept in memory, and without a copy
 * where they came in one piece; larger ones go to the spool.
 */
import { ContentProblem } from '../lib/content-problem.ts';
import { freeMemory } from '../lib/free-memory.ts';
import type { Spool } from '../lib/spool.ts';
import type { FileContent } from './extractor.ts';
import type { LayerLimits } from './layer-problem.ts';

/** Takes the bytes of one file of a known size, in order. */
export interface FileCollector {
  push(bytes: Uint8Array): void;
  /** What came. Valid until the next file is collected. */
  content(): FileContent;
  /** Nobody looks at the content any more. */
  done(): void;
}

export function collectorFor(sizeBytes: number, spool: Spool, limits: LayerLimits): FileCollector {
  return sizeBytes <= limits.extractHeldBytesMax
    ? new MemoryCollector(sizeBytes, limits)
    : new SpoolCollector(sizeBytes, spool, limits);
}

/** Of bytes in memory. */
export function contentOf(bytes: Uint8Array, limits: Pick<LayerLimits, 'extractFileBytesMax'>): FileContent {
  return contentFrom(bytes.length, limits, (offset, length) => bytes.subarray(offset, offset + length));
}

/** The whole file, taken as UTF-8: what isn't becomes U+FFFD. @throws ContentProblem as `all` does */
export function textOf(content: FileContent): string {
  const bytes = content.all();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

class MemoryCollector implements FileCollector {
  readonly #bytes: Buffer;
  readonly #limits: LayerLimits;
  #gotBytes = 0;

  constructor(sizeBytes: number, limits: LayerLimits) {
    this.#bytes = Buffer.allocUnsafe(sizeBytes);
    this.#limits = limits;
  }

  push(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#gotBytes);
    this.#gotBytes += bytes.length;
  }

  content(): FileContent {
    return contentOf(this.#bytes.subarray(0, this.#gotBytes), this.#limits);
  }

  done(): void {
    freeMemory([this.#bytes]);
  }
}

class SpoolCollector implements FileCollector {
  readonly #spool: Spool;
  readonly #limits: LayerLimits;
  readonly #sizeBytes: number;

  constructor(sizeBytes: number, spool: Spool, limits: LayerLimits) {
    this.#sizeBytes = sizeBytes;
    this.#spool = spool;
    this.#limits = limits;
    spool.clear();
  }

  push(bytes: Uint8Array): void {
    this.#spool.append(bytes);
  }

  content(): FileContent {
    return contentFrom(this.#sizeBytes, this.#limits, (offset, length) => this.#spool.read(offset, length));
  }

  done(): void {
    this.#spool.clear();
  }
}

function contentFrom(
  sizeBytes: number,
  { extractFileBytesMax: bytesMax }: Pick<LayerLimits, 'extractFileBytesMax'>,
  readWithin: (offset: number, length: number) => Uint8Array,
): FileContent {
  const read = (offset: number, length: number) => {
    const from = Math.min(Math.max(offset, 0), sizeBytes);
    const bytes = Math.min(Math.max(length, 0), sizeBytes - from);
    if (bytes > bytesMax) throw new ContentProblem(`${bytes} bytes; at most ${bytesMax} are read at once`);
    return readWithin(from, bytes);
  };
  return { sizeBytes, read, all: () => read(0, sizeBytes) };
}
