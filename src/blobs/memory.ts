import { abortable, type ByteSource } from '../lib/streams.ts';
import type {
  AppendOptions,
  BlobContent,
  BlobKey,
  BlobStore,
  ByteRange,
  NoteStore,
  StoredKey,
} from './blob-store.ts';
import {
  alreadyCommitted,
  assertBlobKey,
  assertNoteName,
  checkOffset,
  foreignRegion,
  KeyWriters,
  partOf,
  storeMissing,
} from './store-rules.ts';

/** What a memory store keeps; handed to the next one it outlives the store, as a folder would. */
export class MemoryContents {
  region: string | undefined;
  readonly blobs = new Map<BlobKey, MemoryBlob>();
  readonly notes = new Map<string, string>();
}

interface MemoryBlob {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly committed: boolean;
}

const nothing: MemoryBlob = { chunks: [], sizeBytes: 0, committed: false };

/** A store that keeps everything in memory, for tests and trials. @throws conflict if `contents` is another region's */
export async function openMemoryStore(options: {
  region: string;
  contents?: MemoryContents;
}): Promise<BlobStore> {
  const contents = options.contents ?? new MemoryContents();
  contents.region ??= options.region;
  if (contents.region !== options.region) throw foreignRegion(contents.region, options.region);
  return new MemoryStore(contents);
}

class MemoryStore implements BlobStore {
  readonly notes: NoteStore;
  readonly #blobs: Map<BlobKey, MemoryBlob>;
  readonly #writers = new KeyWriters();

  constructor(contents: MemoryContents) {
    this.#blobs = contents.blobs;
    this.notes = new MemoryNotes(contents.notes);
  }

  async append(key: BlobKey, offset: number, source: ByteSource, { signal }: AppendOptions = {}) {
    assertBlobKey(key);
    return this.#writers.only(key, async () => {
      const before = this.#blobs.get(key) ?? nothing;
      if (before.committed) throw alreadyCommitted(key);
      checkOffset(key, offset, before.sizeBytes);
      const fresh: Uint8Array[] = [];
      let sizeBytes = offset;
      this.#blobs.set(key, before);
      try {
        for await (const chunk of abortable(source, signal)) {
          fresh.push(chunk.slice());
          sizeBytes += chunk.byteLength;
        }
      } finally {
        // A key deleted meanwhile stays deleted.
        if (this.#blobs.has(key))
          this.#blobs.set(key, { chunks: [...before.chunks, ...fresh], sizeBytes, committed: false });
      }
      return sizeBytes;
    });
  }

  async length(key: BlobKey): Promise<number> {
    assertBlobKey(key);
    return this.#blobs.get(key)?.sizeBytes ?? 0;
  }

  async commit(key: BlobKey): Promise<void> {
    assertBlobKey(key);
    await this.#writers.only(key, async () => {
      const blob = this.#blobs.get(key);
      if (blob === undefined) throw storeMissing(key);
      this.#blobs.set(key, { ...blob, committed: true });
    });
  }

  async read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent> {
    assertBlobKey(key);
    signal?.throwIfAborted();
    const blob = this.#blobs.get(key);
    if (blob === undefined || !blob.committed) throw storeMissing(key);
    const part = partOf(blob.sizeBytes, range);
    return { sizeBytes: blob.sizeBytes, stream: abortable(partOfChunks(blob.chunks, part), signal) };
  }

  async delete(keys: readonly BlobKey[]): Promise<void> {
    keys.forEach(assertBlobKey);
    for (const key of keys) this.#blobs.delete(key);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredKey> {
    for (const [key, { sizeBytes, committed }] of [...this.#blobs]) {
      signal?.throwIfAborted();
      yield { key, sizeBytes, committed };
    }
  }

  async close(): Promise<void> {
    // The contents belong to whoever handed them in.
  }
}

class MemoryNotes implements NoteStore {
  readonly #texts: Map<string, string>;

  constructor(texts: Map<string, string>) {
    this.#texts = texts;
  }

  async put(name: string, text: string): Promise<void> {
    assertNoteName(name);
    this.#texts.set(name, text);
  }

  async get(name: string): Promise<string | undefined> {
    assertNoteName(name);
    return this.#texts.get(name);
  }

  async names(prefix: string): Promise<string[]> {
    return [...this.#texts.keys()].filter((name) => name.startsWith(prefix)).sort();
  }
}

async function* partOfChunks(chunks: readonly Uint8Array[], part: { start: number; end: number }) {
  let position = 0;
  for (const chunk of chunks) {
    const piece = chunk.subarray(Math.max(0, part.start - position), Math.max(0, part.end - position));
    position += chunk.byteLength;
    if (piece.byteLength > 0) yield piece;
  }
}
