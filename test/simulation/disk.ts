import type { BlobKey } from '../../src/blobs/blob-store.ts';
import { MemoryContents } from '../../src/blobs/memory.ts';
import type { SeededRandom } from './random.ts';

interface Appending {
  readonly process: string;
  readonly key: BlobKey;
  readonly offset: number;
  readonly chunks: Uint8Array[];
}

/**
 * What a region's blob store holds whatever happens to its processes. Of an append that a death interrupts, any number of
 * chunks may have reached the disk: all of them, some, or none.
 */
export class SimulatedDisk {
  readonly contents = new MemoryContents();
  /** Written after they had been deleted, by somebody who was late: what nobody lets go of is for the scrub to find. */
  readonly late = new Set<BlobKey>();
  readonly #random: SeededRandom;
  readonly #deleted = new Set<BlobKey>();
  #open: readonly Appending[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  async appending<T>(
    at: { process: string; key: BlobKey; offset: number },
    source: AsyncIterable<Uint8Array>,
    append: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const appending: Appending = { ...at, chunks: [] };
    if (this.#deleted.has(at.key)) this.late.add(at.key);
    this.#open = [...this.#open, appending];
    try {
      return await append(remembering(source, appending));
    } finally {
      this.#open = this.#open.filter((other) => other !== appending);
    }
  }

  deleted(keys: readonly BlobKey[]): void {
    for (const key of keys) this.#deleted.add(key);
  }

  /** After a process has died. */
  settle(process: string): void {
    for (const { key, offset, chunks } of this.#open.filter((each) => each.process === process)) {
      const blob = this.contents.blobs.get(key);
      // Deleted meanwhile, or another process wrote it: what this one had in hand is lost.
      if (!blob || blob.committed || blob.sizeBytes !== offset) continue;
      const kept = chunks.slice(0, this.#random.below(chunks.length + 1));
      const sizeBytes = offset + kept.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      this.contents.blobs.set(key, { chunks: [...blob.chunks, ...kept], sizeBytes, committed: false });
    }
    this.#open = this.#open.filter((each) => each.process !== process);
  }
}

async function* remembering(source: AsyncIterable<Uint8Array>, { chunks }: Appending) {
  for await (const chunk of source) {
    chunks.push(chunk.slice());
    yield chunk;
  }
}
