/**
 * Blobs as objects of one bucket, below a prefix:
 *
 *     region.json       {"region": name} of the owner; another region is refused
 *     uploads/<key>     being written, with the parts of a multipart upload (`s3-upload.ts`)
 *     blobs/<key>       committed
 *     notes/<name>      notes
 *
 * An upload is written under its final name from the first part on, so that commit copies nothing: it completes the
 * multipart upload. What fits in one part is put there by commit, from the rest.
 *
 * Who wins, also between processes:
 *
 * - delete and commit: delete removes `uploads/<key>` first, then ends multipart uploads, then removes `blobs/<key>`;
 *   commit makes `blobs/<key>`, then looks whether `uploads/<key>` is still there, and if not removes what it made. Either
 *   delete comes to `blobs/<key>` after commit made it, or commit finds `uploads/<key>` gone.
 * - delete and append, in this process: append looks at its end whether its key was deleted, and deletes again. Between
 *   processes it may leave an upload; who appended then finds the session's row gone and lets go of the key once more.
 * - commit that was cut off: until `blobs/<key>` is there nothing has happened; after it the next commit finds it, and
 *   removes the rest.
 * - two regions that take a fresh bucket: `region.json` is put on condition that there is none.
 *
 * `region.json` also tells an empty store from one that is not there: where something is missing that may have to be
 * there, it is looked for.
 */
import { Readable } from 'node:stream';
import { GetBucketVersioningCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { hasCode, LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
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
import { ownerText, parseOwner } from './owner.ts';
import { S3Requests, s3, s3ErrorName } from './s3-client.ts';
import type { S3Config } from './s3-config.ts';
import { S3Notes } from './s3-notes.ts';
import { S3Stream } from './s3-stream.ts';
import {
  blobName,
  type S3Upload,
  UploadWriter,
  uploadMeasured,
  uploadName,
  uploadRead,
} from './s3-upload.ts';
import {
  alreadyCommitted,
  assertBlobKey,
  checkOffset,
  foreignRegion,
  isBlobKey,
  KeyWriters,
  partOf,
  storeMissing,
} from './store-rules.ts';

const ownerName = 'region.json';
/** Of so many keys each is asked for what was being written; of more, all that is being written is listed. */
const keysAskedMax = 8;

/**
 * Opens the store in a bucket that must be there; it then belongs to `region`.
 * @throws conflict if it belongs to another region; unavailable if it can't be reached; configInvalid if it keeps versions.
 */
export async function openS3Store(options: { config: S3Config; region: string }): Promise<BlobStore> {
  const { config, region } = options;
  const requests = new S3Requests(config);
  try {
    await assertNoVersions(requests, config.bucket);
    const owner = (await ownerIn(requests)) ?? (await claim(requests, region));
    if (owner === undefined) throw new LazaretError('unavailable', `its ${ownerName} went away`);
    if (owner !== region) throw foreignRegion(owner, region);
  } catch (error) {
    requests.close();
    if (!hasCode(error, 'unavailable')) throw error;
    const message = `S3's bucket ${config.bucket} can't be used: ${s3ErrorName(error)}`;
    throw new LazaretError('unavailable', message, { cause: error });
  }
  return new S3Store(requests, config);
}

class S3Store implements BlobStore {
  readonly notes: NoteStore;
  readonly redirect?: (key: BlobKey, seconds: number) => Promise<string>;
  readonly #requests: S3Requests;
  readonly #writers = new KeyWriters();
  /** Keys that were deleted while they were written here. */
  readonly #deleted = new Set<BlobKey>();

  constructor(requests: S3Requests, config: S3Config) {
    this.#requests = requests;
    this.notes = new S3Notes(requests, () => this.#assertThere());
    if (config.redirect) this.redirect = (key, seconds) => this.#signed(key, seconds);
  }

  async append(key: BlobKey, offset: number, source: ByteSource, { signal }: AppendOptions = {}) {
    assertBlobKey(key);
    return this.#alone(key, async () => {
      const [before, blob] = await Promise.all([
        uploadRead(this.#requests, key),
        this.#requests.head(blobName(key)),
      ]);
      if (blob !== undefined) throw alreadyCommitted(key);
      if (before === undefined) await this.#assertThere();
      checkOffset(key, offset, lengthOf(before));
      const writer = new UploadWriter(this.#requests, key, before);
      return written(writer, abortable(source, signal), () => this.#deleted.has(key));
    });
  }

  async length(key: BlobKey): Promise<number> {
    assertBlobKey(key);
    const [upload, blob] = await Promise.all([
      uploadMeasured(this.#requests, key),
      this.#requests.head(blobName(key)),
    ]);
    if (blob !== undefined) return blob.ContentLength ?? 0;
    if (upload === undefined) await this.#assertThere();
    return lengthOf(upload);
  }

  async commit(key: BlobKey): Promise<void> {
    assertBlobKey(key);
    await this.#alone(key, async () => {
      const [upload, blob] = await Promise.all([
        uploadRead(this.#requests, key),
        this.#requests.head(blobName(key)),
      ]);
      if (blob === undefined) {
        if (upload === undefined) throw await this.#missing(key);
        await this.#makeBlob(key, upload);
        if ((await this.#requests.head(uploadName(key))) === undefined) {
          await this.#requests.deleteAll([blobName(key)]);
          throw storeMissing(key);
        }
      }
      if (upload?.id !== undefined) await this.#abortMultiparts([key]);
      if (upload !== undefined) await this.#requests.deleteAll([uploadName(key)]);
    });
  }

  async read(key: BlobKey, range?: ByteRange, signal?: AbortSignal): Promise<BlobContent> {
    assertBlobKey(key);
    signal?.throwIfAborted();
    if (range !== undefined && (range.start < 0 || range.end < range.start))
      throw await this.#outside(key, range);
    try {
      return await s3('to read a blob', () => this.#open(key, range, signal));
    } catch (error) {
      signal?.throwIfAborted();
      const name = s3ErrorName(error);
      if (name === 'NoSuchKey') throw await this.#missing(key, error);
      if (name === 'InvalidRange' && range) throw await this.#outside(key, range);
      throw error;
    }
  }

  async delete(keys: readonly BlobKey[]): Promise<void> {
    keys.forEach(assertBlobKey);
    if (keys.length === 0) return;
    for (const key of keys) if (this.#writers.has(key)) this.#deleted.add(key);
    await this.#remove(keys);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredKey> {
    signal?.throwIfAborted();
    await this.#assertThere();
    // Uploads first: what is committed while this goes on comes twice rather than never.
    const listed = new Set<string>();
    for await (const { name, changedAt } of this.#requests.list('uploads/', signal)) {
      const key = name.slice('uploads/'.length);
      if (!isBlobKey(key)) continue;
      listed.add(key);
      const upload = await uploadMeasured(this.#requests, key);
      if (upload !== undefined) yield { key, sizeBytes: lengthOf(upload), committed: false, changedAt };
    }
    for await (const { name, beganAt: changedAt } of this.#requests.multiparts('blobs/')) {
      const key = name.slice('blobs/'.length);
      if (isBlobKey(key) && !listed.has(key)) yield { key, sizeBytes: 0, committed: false, changedAt };
    }
    for await (const { name, sizeBytes, changedAt } of this.#requests.list('blobs/', signal)) {
      const key = name.slice('blobs/'.length);
      if (isBlobKey(key)) yield { key, sizeBytes, committed: true, changedAt };
    }
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  /** One writer at a time; what was deleted meanwhile stays deleted. */
  async #alone<T>(key: BlobKey, write: () => Promise<T>): Promise<T> {
    return this.#writers.only(key, async () => {
      try {
        return await write();
      } finally {
        if (this.#deleted.delete(key)) await this.#remove([key]);
      }
    });
  }

  async #makeBlob(key: BlobKey, upload: S3Upload & { rest: Uint8Array }): Promise<void> {
    const { id, parts, rest } = upload;
    const name = blobName(key);
    if (id === undefined || parts.length === 0) return this.#requests.put(name, rest);
    const last = { name, id, number: parts.length + 1, body: rest };
    const part = rest.byteLength > 0 ? await this.#requests.partPut(last) : undefined;
    const all = part === undefined ? parts : [...parts, part];
    const complete = await this.#requests.multipartComplete(name, id, all);
    const blob = await this.#requests.head(name);
    // It may have been completed by a request whose answer was lost.
    if (blob === undefined) throw complete ? notWhole(key) : storeMissing(key);
    if (blob.ContentLength !== lengthOf(upload)) throw notWhole(key);
  }

  async #open(key: BlobKey, range: ByteRange | undefined, signal: AbortSignal | undefined) {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const command = new GetObjectCommand({ ...this.#requests.at(blobName(key)), ...(Range && { Range }) });
    const answer = await this.#requests.reader.send(command, signal ? { abortSignal: signal } : {});
    const lengthBytes = answer.ContentLength ?? 0;
    const sizeBytes = Number(answer.ContentRange?.split('/')[1] ?? lengthBytes);
    if (!(answer.Body instanceof Readable)) throw new LazaretError('unavailable', 'S3 sent no body');
    return { sizeBytes, stream: new S3Stream(answer.Body, lengthBytes, signal) };
  }

  async #outside(key: BlobKey, range: ByteRange): Promise<unknown> {
    const blob = await this.#requests.head(blobName(key));
    if (blob === undefined) return this.#missing(key);
    partOf(blob.ContentLength ?? 0, range);
    return new LazaretError('unavailable', 'S3 refused a range that is inside the blob');
  }

  async #remove(keys: readonly BlobKey[]): Promise<void> {
    await this.#requests.deleteAll(await this.#uploadsOf(keys));
    await this.#abortMultiparts(keys);
    await this.#requests.deleteAll(keys.map(blobName));
  }

  /** Most keys that go have none: of many, those that there are are looked up, which is less than to delete twice as much. */
  async #uploadsOf(keys: readonly BlobKey[]): Promise<string[]> {
    const names = new Set(keys.map(uploadName));
    if (keys.length <= keysAskedMax) return [...names];
    const found: string[] = [];
    for await (const { name } of this.#requests.list('uploads/')) if (names.has(name)) found.push(name);
    return found;
  }

  async #abortMultiparts(keys: readonly BlobKey[]): Promise<void> {
    const names = new Set(keys.map(blobName));
    for (const prefix of keys.length <= keysAskedMax ? names : ['blobs/'])
      for await (const { name, id } of this.#requests.multiparts(prefix))
        if (names.has(name)) await this.#requests.multipartAbort(name, id);
  }

  async #signed(key: BlobKey, seconds: number): Promise<string> {
    assertBlobKey(key);
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
    const command = new GetObjectCommand(this.#requests.at(blobName(key)));
    const expiresIn = Math.min(seconds, limits.redirectSeconds);
    return s3('to sign an address', () => getSignedUrl(this.#requests.client, command, { expiresIn }));
  }

  async #missing(key: BlobKey, cause?: unknown): Promise<LazaretError> {
    await this.#assertThere();
    return storeMissing(key, cause);
  }

  async #assertThere(): Promise<void> {
    if ((await ownerIn(this.#requests)) === undefined)
      throw new LazaretError('unavailable', `the blob store has lost its ${ownerName}`);
  }
}

/** When the source fails, what came before is made durable, and its error thrown. */
async function written(
  writer: UploadWriter,
  source: AsyncIterable<Uint8Array>,
  deleted: () => boolean,
): Promise<number> {
  let failure: { error: unknown } | undefined;
  try {
    for await (const chunk of source) await writer.take(chunk);
  } catch (error) {
    failure = { error };
  }
  try {
    const lengthBytes = await writer.flush();
    if (failure === undefined) return lengthBytes;
  } catch (error) {
    failure = { error: failure === undefined ? error : bothOf(failure.error, error) };
  }
  // Its parts went when the key was deleted.
  if (deleted() && hasCode(failure.error, 'storeMissing')) return 0;
  throw failure.error;
}

/** The writer says again at its end why it failed before. */
function bothOf(source: unknown, flush: unknown): unknown {
  if (source === flush) return flush;
  const cause = new AggregateError([flush, source], 'flush and source failed');
  return new LazaretError('unavailable', 'the blob store failed to flush an upload', { cause });
}

function lengthOf(upload: S3Upload | undefined): number {
  return upload === undefined ? 0 : upload.partsBytes + upload.restBytes;
}

function notWhole(key: BlobKey): LazaretError {
  return new LazaretError('unavailable', 'S3 completed an upload with another length', { detail: { key } });
}

/** Old versions would keep the bytes of what was collected. A key that may not ask is not refused. */
async function assertNoVersions(requests: S3Requests, bucket: string): Promise<void> {
  const command = new GetBucketVersioningCommand({ Bucket: bucket });
  const versioning = await s3('to look at the bucket', () => requests.client.send(command)).catch(
    (error: unknown) => {
      if (['AccessDenied', 'NotImplemented', 'MethodNotAllowed'].includes(s3ErrorName(error) ?? ''))
        return undefined;
      throw error;
    },
  );
  if (versioning?.Status !== 'Enabled') return;
  const message = `bucket ${bucket} keeps versions, so nothing in it could be given back: switch versioning off`;
  throw new LazaretError('configInvalid', message, { detail: { path: 'blobs.bucket' } });
}

async function ownerIn(requests: S3Requests): Promise<string | undefined> {
  const owner = await requests.get(ownerName);
  return owner && parseOwner(ownerName, Buffer.from(owner.body).toString('utf8'));
}

async function claim(requests: S3Requests, region: string): Promise<string | undefined> {
  const body = Buffer.from(ownerText(region));
  await requests.put(ownerName, body, { absent: true }).catch(async (error: unknown) => {
    const name = s3ErrorName(error);
    // A server that knows no conditions: of two regions that begin at the same moment, the second to read is refused.
    if (name === 'NotImplemented') return requests.put(ownerName, body);
    if (name !== 'PreconditionFailed' && name !== 'ConditionalRequestConflict') throw error;
  });
  return ownerIn(requests);
}
