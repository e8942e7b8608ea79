/**
 * Blobs as files in one folder:
 *
 *     region.json          {"region": name} of the owner; another region is refused
 *     uploads/<key>        not committed, and nobody writes to it at this moment
 *     writing/<key>.<take> being written by whoever has taken it (`upload-files.ts`)
 *     blobs/<k0…k6>/<key>  committed; the folder is the key's first seven characters: keys are in time, so what comes within
 *                          some 17 minutes is in one, which is made when first needed
 *     notes/<name>         notes, with `+` for each `/` of the name
 *
 * The place of a file is its state: there is no other record, so there is nothing that could disagree with it.
 * What a crash of the machine leaves, step by step:
 *
 * - open: `region.json` comes first and whole (flushed under another name, then linked, which fails if one is there),
 *   so a folder belongs to nobody or to one region, and of two that begin at once one is refused.
 * - append: bytes are flushed before their length is told, and the name in `uploads/` before the first append
 *   returns. A crash leaves the told bytes, and perhaps more; `length` flushes what it counts, with its name. Bytes that
 *   were never flushed may be wrong after a crash of the machine; whoever goes on with an upload hashes it from the start.
 * - commit: take the file, so that nobody writes to it any more; flush it (unless its last append, in this process, has);
 *   make its folder durable, link it there unless something is there, flush that folder. Before the link commit starts
 *   again; after it, commit finds the file in `blobs/` and repeats the flushes that may be missing. The old name is taken
 *   away, but no flush waits for that: if it comes back it names the same file, nobody writes to a key that is committed,
 *   and both names go together.
 * - delete: the upload first, then the blob. A commit that links between the two is undone by the second; one that
 *   comes later finds nothing. Afterwards all these folders are flushed: what was said to be gone doesn't come back.
 * - notes: as a whole under another name, flushed, renamed, folder flushed.
 *
 * `region.json` also tells an empty store from one that is not there (not mounted, moved away): whenever a file is
 * missing, it is looked for, and if it is missing too the answer is unavailable, never "no such blob".
 */
import type { FileHandle } from 'node:fs/promises';
import { access, link, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { shared } from '../lib/shared.ts';
import { abortable } from '../lib/streams.ts';
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
  asUnavailable,
  ensureFolder,
  fileMode,
  flushFile,
  flushFolder,
  isSystemCode,
} from './durable-files.ts';
import { appendDurably } from './file-append.ts';
import { FileStream } from './file-stream.ts';
import { FilesystemNotes } from './filesystem-notes.ts';
import { claim } from './filesystem-owner.ts';
import {
  alreadyCommitted,
  assertBlobKey,
  checkOffset,
  isBlobKey,
  KeyWriters,
  partOf,
  storeMissing,
} from './store-rules.ts';
import { keyOf, UploadFiles } from './upload-files.ts';

const ownerFile = 'region.json';
const filesAtOnce = 16;
/** Characters of the key. */
const fanOutLength = 7;
const fanOutName = /^[0-9a-f]{7}$/;

/**
 * Opens the store in `folder`, which is made if it is missing and then belongs to `region`.
 * @throws conflict if it belongs to another region; unavailable if it can't be read or written.
 */
export async function openFilesystemStore(options: { folder: string; region: string }): Promise<BlobStore> {
  const { folder, region } = options;
  try {
    await ensureFolder(folder);
    await claim(join(folder, ownerFile), region);
    for (const name of ['uploads', 'writing', 'blobs', 'notes']) await ensureFolder(join(folder, name));
    // Also what an earlier process made, which may have died before it flushed.
    await flushFolder(folder);
  } catch (error) {
    throw asUnavailable(`to open ${folder}`, error);
  }
  return new FilesystemStore(folder);
}

interface TakenUpload {
  readonly handle: FileHandle;
  readonly path: string;
  /** Its name is not durable yet. */
  readonly fresh: boolean;
}

class FilesystemStore implements BlobStore {
  readonly notes: NoteStore;
  readonly #folder: string;
  readonly #uploads: UploadFiles;
  readonly #writers = new KeyWriters();
  /** Folders under `blobs/` known to be durable. */
  readonly #fanOut = new Set<string>();
  /** The uploads that this process has flushed, and how long they were then. */
  readonly #flushed = new Map<BlobKey, number>();
  /** Those who need the same folder flushed at the same time share it. */
  readonly #flushes = new Map<string, () => Promise<void>>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#uploads = new UploadFiles(folder, (operation) => this.#ifThere(operation));
    this.notes = new FilesystemNotes(join(folder, 'notes'), () => this.#assertThere());
  }

  async append(
    key: BlobKey,
    offset: number,
    source: AsyncIterable<Uint8Array>,
    { signal, fresh = false, disposable }: AppendOptions = {},
  ) {
    assertBlobKey(key);
    return this.#writers.only(key, async () => {
      const taken = await this.#translated('to open an upload', () =>
        fresh ? this.#openFresh(key) : this.#openUpload(key, offset),
      );
      this.#flushed.delete(key);
      try {
        const length = await appendDurably(taken.handle, offset, abortable(source, signal), { disposable });
        this.#rememberFlushed(key, length);
        return length;
      } finally {
        await this.#translated('to end an append', () => this.#giveBack(key, taken));
      }
    });
  }

  async length(key: BlobKey): Promise<number> {
    assertBlobKey(key);
    return this.#translated('to measure a blob', async () => {
      const flushed = this.#flushed.get(key);
      if (flushed !== undefined && (await this.#uploads.idleSize(key)) === flushed) return flushed;
      const committed = await this.#ifThere(stat(this.#blobPath(key)));
      if (committed !== undefined) return committed.size;
      const size = await this.#uploads.durableSize(key);
      // Nothing, or committed between the two looks.
      return size ?? (await this.#ifThere(stat(this.#blobPath(key))))?.size ?? 0;
    });
  }

  async commit(key: BlobKey): Promise<void> {
    assertBlobKey(key);
    await this.#writers.only(key, () =>
      this.#translated('to commit a blob', async () => {
        await this.#ensureFanOut(this.#fanOutFolder(key));
        try {
          await this.#linkBlob(key, this.#blobPath(key));
        } catch (error) {
          if (isSystemCode(error, 'ENOENT')) throw await this.#missing(key, error);
          throw error;
        }
        await this.#flush(this.#fanOutFolder(key));
        this.#flushed.delete(key);
      }),
    );
  }

  async read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent> {
    assertBlobKey(key);
    signal?.throwIfAborted();
    return this.#translated('to read a blob', async () => {
      const handle = await this.#ifThere(open(this.#blobPath(key), 'r'));
      if (handle === undefined) throw storeMissing(key);
      try {
        const sizeBytes = (await handle.stat()).size;
        const stream = new FileStream(handle, partOf(sizeBytes, range), signal);
        return { sizeBytes, stream, disposable: true, pump: (take) => stream.pump(take) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  async delete(keys: readonly BlobKey[]): Promise<void> {
    keys.forEach(assertBlobKey);
    for (const key of keys) this.#flushed.delete(key);
    await this.#translated('to delete blobs', async () => {
      await this.#uploads.delete(new Set(keys));
      // Also of what a commit took away there: only this makes it last.
      const changed = new Set([this.#uploads.folder, this.#uploads.writingFolder]);
      await inGroups(keys, async (key) => {
        if (await this.#unlinkIfThere(this.#blobPath(key))) changed.add(this.#fanOutFolder(key));
      });
      await inGroups([...changed], flushFolder);
    });
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredKey> {
    const blobs = join(this.#folder, 'blobs');
    const { folder, writingFolder } = this.#uploads;
    // Uploads first, on both sides of what is written: what moves while this goes on comes twice rather than never.
    for (const uploads of [writingFolder, folder, writingFolder])
      yield* this.#listFolder(uploads, false, signal);
    for (const name of (await this.#names(blobs)).filter((each) => fanOutName.test(each)))
      yield* this.#listFolder(join(blobs, name), true, signal);
  }

  async close(): Promise<void> {
    // It holds nothing open between calls.
  }

  async #openUpload(key: BlobKey, offset: number): Promise<TakenUpload> {
    const found = await this.#uploads.take(key);
    const path = found ?? this.#uploads.newPath(key);
    let handle: FileHandle | undefined;
    try {
      if ((await this.#ifThere(stat(this.#blobPath(key)))) !== undefined) throw alreadyCommitted(key);
      if (found === undefined) checkOffset(key, offset, 0);
      handle = await open(path, found === undefined ? 'wx+' : 'r+', fileMode);
      if (found !== undefined) checkOffset(key, offset, (await handle.stat()).size);
      return { handle, path, fresh: found === undefined };
    } catch (error) {
      await handle?.close();
      if (found !== undefined) await this.#uploads.giveBack(key, found);
      throw error;
    }
  }

  async #openFresh(key: BlobKey): Promise<TakenUpload> {
    const path = this.#uploads.newPath(key);
    return { handle: await open(path, 'wx+', fileMode), path, fresh: true };
  }

  async #giveBack(key: BlobKey, { handle, path, fresh }: TakenUpload): Promise<void> {
    await handle.close();
    const there = await this.#uploads.giveBack(key, path);
    if (fresh && there) await this.#flush(this.#uploads.folder);
  }

  async #linkBlob(key: BlobKey, blobPath: string): Promise<void> {
    const flushed = this.#flushed.get(key);
    const path = await this.#uploads.take(key);
    // Committed before; if not, its file is missing.
    if (path === undefined) return flushFile(blobPath);
    if (flushed === undefined || (await stat(path)).size !== flushed) await flushFile(path);
    await link(path, blobPath).catch((error: unknown) => {
      if (!isSystemCode(error, 'EEXIST')) throw error; // another process has committed it meanwhile
    });
    await this.#uploads.drop(path);
  }

  /** Who is forgotten here is flushed once more. */
  #rememberFlushed(key: BlobKey, length: number): void {
    if (this.#flushed.size >= limits.openUploadsRememberedMax) this.#flushed.clear();
    this.#flushed.set(key, length);
  }

  #flush(folder: string): Promise<void> {
    const flush = this.#flushes.get(folder) ?? shared(() => flushFolder(folder));
    this.#flushes.set(folder, flush);
    return flush();
  }

  async *#listFolder(folder: string, committed: boolean, signal: AbortSignal | undefined) {
    const names = (await this.#names(folder)).filter((name) => isBlobKey(keyOf(name)));
    for (let from = 0; from < names.length; from += filesAtOnce) {
      signal?.throwIfAborted();
      const group = names.slice(from, from + filesAtOnce);
      const looked = await this.#translated('to list blobs', () =>
        Promise.all(
          group.map(async (name) => ({
            key: keyOf(name),
            found: await this.#ifThere(stat(join(folder, name))),
          })),
        ),
      );
      for (const { key, found: file } of looked)
        if (file) yield { key, sizeBytes: file.size, committed, changedAt: file.mtimeMs };
    }
  }

  async #names(folder: string): Promise<string[]> {
    return this.#translated('to list blobs', async () => (await this.#ifThere(readdir(folder))) ?? []);
  }

  async #ensureFanOut(folder: string): Promise<void> {
    if (this.#fanOut.has(folder)) return;
    await ensureFolder(folder);
    // Also when it was there: a process that died may have made it without flushing its name.
    await this.#flush(join(this.#folder, 'blobs'));
    this.#fanOut.add(folder);
  }

  async #unlinkIfThere(path: string): Promise<boolean> {
    return (await this.#ifThere(unlink(path).then(() => true))) ?? false;
  }

  /** What `operation` gives, or undefined if its file is missing. @throws if the whole store is missing */
  async #ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
    try {
      return await operation;
    } catch (error) {
      if (!isSystemCode(error, 'ENOENT')) throw error;
      await this.#assertThere();
      return undefined;
    }
  }

  async #missing(key: BlobKey, error: unknown): Promise<LazaretError> {
    await this.#assertThere();
    this.#fanOut.delete(this.#fanOutFolder(key));
    return storeMissing(key, error);
  }

  async #assertThere(): Promise<void> {
    await access(join(this.#folder, ownerFile));
  }

  async #translated<T>(doing: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw asUnavailable(doing, error);
    }
  }

  #blobPath(key: BlobKey): string {
    return join(this.#fanOutFolder(key), key);
  }

  #fanOutFolder(key: BlobKey): string {
    return join(this.#folder, 'blobs', key.slice(0, fanOutLength));
  }
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < items.length; from += filesAtOnce)
    await Promise.all(items.slice(from, from + filesAtOnce).map(work));
}
