/**
 * Where bytes live. A store knows keys and bytes; it knows no repository, tag, digest or mark. A key is a random id
 * chosen when an upload starts, and is never used again for other bytes, so deleting an old copy can never hit a newer
 * one. The rows that map digests to keys are in the metadata store: bytes first, then the row; row first, then bytes,
 * on the way out.
 *
 * Life of a key: `append`* → `commit` → `read`* → `delete`. Bytes that were never committed are not readable.
 *
 * One writer per key at a time: while an `append` or `commit` of a key goes on, another one is refused with conflict
 * and changes nothing. Between processes that open one store the later one goes on instead, and what the other writes
 * from then on is in no blob; at its end it may get conflict.
 * `delete` never waits and wins: a `commit` that comes after it fails with storeMissing.
 *
 * Every method throws unavailable, with the cause, when the store can't be reached, is read-only or has lost its folder,
 * and storeFull when there is no room. A store that is not there is never taken for an empty one.
 */
export interface BlobStore {
  /**
   * Writes `source` at `offset`, which must be the key's present length (0 starts it, also with an empty source).
   * When `source` fails or `signal` aborts, the bytes before that are kept and made durable, the same error is thrown,
   * and `length` tells where to go on. A chunk must not be altered after it was handed over.
   * @returns the length that is durable now.
   * @throws uploadRange if `offset` is not the present length, with it in `detail.lengthBytes`; conflict if the key is
   *   committed or being written.
   */
  append(
    key: BlobKey,
    offset: number,
    source: AsyncIterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<number>;

  /** The durable length of a key that is being written, 0 if nothing was; of a committed key its size. */
  length(key: BlobKey): Promise<number>;

  /**
   * Makes the key's bytes, and its name, survive a crash of the machine, and readable. Idempotent, also after a crash.
   * @throws storeMissing if nothing was written under the key; conflict if it is being written.
   */
  commit(key: BlobKey): Promise<void>;

  /**
   * The bytes, or the part `start` to `end` (inclusive; an `end` past the last byte means the last byte). What is open
   * when this resolves can be read to its end, also if the key is deleted meanwhile.
   * @throws storeMissing if nothing is committed under the key; rangeInvalid if `start` is not inside the blob.
   */
  read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent>;

  /** Removes the keys, committed or not, durably; a key that is not there is not an error. */
  delete(keys: readonly BlobKey[]): Promise<void>;

  /**
   * Every key with bytes, committed or being written, in no order. A key that is committed meanwhile may come twice,
   * last as committed. For the scrub; nothing on a hot path asks.
   */
  list(signal?: AbortSignal): AsyncIterable<StoredKey>;

  /** Small named documents beside the blobs: what must survive the loss of the metadata store (marks). */
  readonly notes: NoteStore;

  close(): Promise<void>;

  /**
   * Where the store itself serves a committed blob, for so many seconds, to whoever has the address. Only where the
   * driver can do it and is configured to.
   */
  readonly redirect?: (key: BlobKey, seconds: number) => Promise<string>;
}

export interface AppendOptions {
  readonly signal?: AbortSignal | undefined;
  /** The caller knows that nobody has written anything under the key, so that it need not be looked for; `offset` is 0. */
  readonly fresh?: boolean | undefined;
  /** Nobody else looks at a chunk once it was handed over: the store may give its memory back. */
  readonly disposable?: boolean | undefined;
}

/** 32 lower-case hex characters. */
export type BlobKey = string & { readonly brand?: 'BlobKey' };
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
export interface BlobContent {
  /** Of the whole blob, whatever range was asked. */
  readonly sizeBytes: number;
  /**
   * Can be iterated once. It holds the blob open until it ends, its reader stops (`break`, or `return()` of its
   * iterator, also before the first step) or the signal aborts: one of these must happen.
   */
  readonly stream: AsyncIterable<Uint8Array>;
  /** Each chunk of `stream` is its reader's own, who may give its memory back. */
  readonly disposable?: true;
  /**
   * Instead of `stream`, and once: hands each chunk to `take`, and uses its memory again as soon as `take` resolves. It
   * holds the blob open until it resolves, or rejects with what `take` or the store failed with, or the signal's reason.
   * Only where the driver gains by it: memory of its own for each chunk costs as much as reading it.
   */
  readonly pump?: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>;
}
export interface StoredKey {
  readonly key: BlobKey;
  readonly sizeBytes: number;
  readonly committed: boolean;
  /** When its bytes last changed, by the store's clock, in milliseconds since 1970; absent if the store can't say. */
  readonly changedAt?: number;
}

export interface NoteStore {
  /**
   * Durable when it resolves; replaces a note of that name, and a crash leaves the one or the other.
   * Names: `[a-z0-9-]+(/[A-Za-z0-9._-]+)*`, at most 200 characters.
   */
  put(name: string, text: string): Promise<void>;
  get(name: string): Promise<string | undefined>;
  /** Names that start with `prefix`, sorted by code unit. */
  names(prefix: string): Promise<string[]>;
}
