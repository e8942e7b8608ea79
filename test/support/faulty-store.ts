import type {
  AppendOptions,
  BlobContent,
  BlobKey,
  BlobStore,
  ByteRange,
  NoteStore,
  StoredKey,
} from '../../src/blobs/blob-store.ts';
import { LazaretError } from '../../src/lib/errors.ts';

export type StoreOperation = 'append' | 'commit' | 'read' | 'delete' | 'list' | 'note';

interface Fault {
  readonly operation: StoreOperation;
  /** How many calls of the operation still go well. */
  after: number;
  /** How many then fail. */
  times: number;
  readonly afterBytes: number;
}

/**
 * A store that fails on request, with unavailable, and otherwise passes everything on to a real one.
 *
 *     store.fail('append', { after: 1, afterBytes: 10 })   the second append keeps 10 bytes, then fails
 *     store.fail('commit', { times: Infinity })            until heal()
 */
export class FaultyStore implements BlobStore {
  readonly notes: NoteStore;
  readonly #inner: BlobStore;
  #faults: Fault[] = [];

  constructor(inner: BlobStore) {
    this.#inner = inner;
    this.notes = {
      put: async (name, text) => {
        this.#meet('note');
        await inner.notes.put(name, text);
      },
      get: async (name) => {
        this.#meet('note');
        return inner.notes.get(name);
      },
      names: async (prefix) => {
        this.#meet('note');
        return inner.notes.names(prefix);
      },
    };
  }

  fail(operation: StoreOperation, when: { after?: number; times?: number; afterBytes?: number } = {}): void {
    const { after = 0, times = 1, afterBytes = 0 } = when;
    this.#faults.push({ operation, after, times, afterBytes });
  }

  heal(): void {
    this.#faults = [];
  }

  async append(key: BlobKey, offset: number, source: AsyncIterable<Uint8Array>, options?: AppendOptions) {
    const fault = this.#due('append');
    if (fault === undefined) return this.#inner.append(key, offset, source, options);
    await this.#inner.append(key, offset, cutAfter(source, fault.afterBytes), options);
    throw injected('append');
  }

  async length(key: BlobKey): Promise<number> {
    return this.#inner.length(key);
  }

  async commit(key: BlobKey): Promise<void> {
    this.#meet('commit');
    await this.#inner.commit(key);
  }

  async read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent> {
    const fault = this.#due('read');
    if (fault !== undefined && fault.afterBytes === 0) throw injected('read');
    const content = await this.#inner.read(key, range, signal);
    if (fault === undefined) return content;
    const stream = cutAfter(content.stream, fault.afterBytes, injected('read'));
    return { sizeBytes: content.sizeBytes, stream };
  }

  async delete(keys: readonly BlobKey[]): Promise<void> {
    this.#meet('delete');
    await this.#inner.delete(keys);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredKey> {
    this.#meet('list');
    yield* this.#inner.list(signal);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #meet(operation: StoreOperation): void {
    if (this.#due(operation) !== undefined) throw injected(operation);
  }

  #due(operation: StoreOperation): Fault | undefined {
    const fault = this.#faults.find((each) => each.operation === operation && each.times > 0);
    if (fault === undefined) return undefined;
    if (fault.after > 0) {
      fault.after -= 1;
      return undefined;
    }
    fault.times -= 1;
    return fault;
  }
}

/** `store`, of which something is otherwise. */
export function storeWith(store: BlobStore, changed: Partial<BlobStore>): BlobStore {
  return {
    append: store.append.bind(store),
    length: store.length.bind(store),
    commit: store.commit.bind(store),
    read: store.read.bind(store),
    delete: store.delete.bind(store),
    list: store.list.bind(store),
    close: store.close.bind(store),
    notes: store.notes,
    ...changed,
  };
}

function injected(operation: StoreOperation): LazaretError {
  return new LazaretError('unavailable', `injected failure of ${operation}`);
}

/** The first `bytesMax` bytes, then the end, or `error` if one is given. */
async function* cutAfter(source: AsyncIterable<Uint8Array>, bytesMax: number, error?: Error) {
  let left = bytesMax;
  for await (const chunk of source) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (left <= 0) break;
  }
  if (error !== undefined) throw error;
}
