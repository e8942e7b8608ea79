/**
 * Where bytes live. A store knows keys and bytes; it knows no repository, tag, digest or mark. A key is a random id
 * chosen when an upload starts, and is never used again for other bytes, so deleting an old copy can never hit a newer
 * one. The rows that map digests to keys are in the metadata store: bytes first, then the row; row first, then bytes,
 * on the way out.
 *
 * Life of a key: `append`* → `commit` → `read`* → `delete`. Bytes that were never committed are not readable.
 */
export interface BlobStore {
  /**
   * Writes `source` at `offset`, which must be the key's present length (0 starts it).
   * @returns the length that is durable now; when `source` fails the bytes before the failure may have been kept, and
   *   `length` tells how many.
   * @throws uploadRange if `offset` is not the present length; unavailable if the store can't be reached or is full.
   */
  append(key: BlobKey, offset: number, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>;

  /** The durable length of a key that is being written, 0 if nothing was; of a committed key its size. */
  length(key: BlobKey): Promise<number>;

  /** Makes the key's bytes, and its name, survive a crash of the machine, and readable. Idempotent. @throws storeMissing */
  commit(key: BlobKey): Promise<void>;

  /**
   * The bytes, or the part `start` to `end` (inclusive).
   * @throws storeMissing if nothing is committed under the key; unavailable if the store can't be reached.
   */
  read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent>;

  /** Removes the keys, committed or not; a key that is not there is not an error. */
  delete(keys: readonly BlobKey[]): Promise<void>;

  /** Every key with bytes, committed or being written, in no order. For the scrub; nothing on a hot path asks. */
  list(signal?: AbortSignal): AsyncIterable<StoredKey>;

  /** Small named documents beside the blobs: what must survive the loss of the metadata store (marks, the owner). */
  readonly notes: NoteStore;

  close(): Promise<void>;
}

export type BlobKey = string & { readonly brand?: 'BlobKey' };
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
export interface BlobContent {
  /** Of the whole blob, whatever range was asked. */
  readonly sizeBytes: number;
  readonly stream: AsyncIterable<Uint8Array>;
}
export interface StoredKey {
  readonly key: BlobKey;
  readonly sizeBytes: number;
  readonly committed: boolean;
}

export interface NoteStore {
  /** Durable when it resolves; replaces a note of that name. Names: `[a-z0-9-]+(/[A-Za-z0-9._-]+)*`. */
  put(name: string, text: string): Promise<void>;
  get(name: string): Promise<string | undefined>;
  /** Names that start with `prefix`, sorted. */
  names(prefix: string): Promise<string[]>;
}
