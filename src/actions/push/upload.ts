import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { keyInTime, uuidv7 } from '../../lib/random.ts';
import { type ByteSource, limitBytes } from '../../lib/streams.ts';
import type { Digest, DigestAlgorithm } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { condemnedKeyAdd } from '../../records/catalog/blobs.ts';
import { repositoryEnsure } from '../../records/catalog/repositories.ts';
import type { Database } from '../../records/db/database.ts';
import {
  type OpenUpload,
  type Upload,
  uploadAdd,
  uploadBytesLetGo,
  uploadExists,
  uploadFind,
  uploadRemove,
  uploadTouch,
  uploadWrittenByMany,
} from '../../records/uploads/uploads.ts';
import { uploadRoom } from './room.ts';
import type { RunningDigests } from './running-digests.ts';
import type { SparsePolicy } from './sparse.ts';

/**
 * An upload session: start, append (any number of times), then finish (`upload-finish.ts`) or cancel. How far it has
 * come is what the blob store holds durably, so a cut connection or a crash costs only what was not flushed, and the
 * client goes on from there. Two appends at once: the second gets conflict. A session that ends lets go of its key
 * through condemned_keys, which the collector sweeps; so no crash can leave bytes that nothing knows.
 *
 * distribution-spec, "Pushing blobs".
 */
export interface PushDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly digests: RunningDigests;
  /** Default: `index` everywhere. */
  readonly sparse?: SparsePolicy | undefined;
}

/** A session or a blob that a crash of the machine takes back was promised to nobody: see `blobHead`. */
export const seenEarly = { seenEarly: true } as const;

export interface UploadName {
  readonly repository: RepositoryName;
  readonly uploadId: string;
  /** Who asks: a session is only there for whoever began it. */
  readonly principal: string;
}

export interface UploadPart extends UploadName {
  readonly source: ByteSource;
  /** See `AppendOptions`. */
  readonly disposable?: boolean | undefined;
  /** From Content-Range: first and last byte. Without it the bytes follow what is there. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /** How many bytes the request says that it brings. */
  readonly lengthBytes?: number | undefined;
  /** That of the whole upload, if it is known by now. */
  readonly digest?: Digest | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The repository appears if it is new.
 * @param upload.algorithm of the digest that the upload will be closed with, if that is known
 * @throws denied (no such account), readOnlyReplica
 */
export async function uploadStart(
  deps: PushDeps,
  upload: { repository: RepositoryName; principal: string; algorithm?: DigestAlgorithm | undefined },
): Promise<{ uploadId: string }> {
  const uploadId = await deps.database.transact(async (tx) => {
    const repository = await repositoryEnsure(tx, upload.repository);
    const id = uuidv7(tx.nowMs);
    const { principal } = upload;
    const writer = deps.digests.process;
    await uploadAdd(tx, {
      id,
      repositoryId: repository.id,
      principal,
      storageKey: keyInTime(tx.nowMs),
      writer,
    });
    return id;
  }, seenEarly);
  deps.digests.begin(uploadId, upload.algorithm);
  return { uploadId };
}

/**
 * Streams bytes into the session. When the source fails, what came before it is kept.
 * @returns the offset that is durable: the length of the upload
 * @throws uploadUnknown; uploadRange if the range does not start there, sizeInvalid if it has another length (the session
 *   goes on in both cases); tooLarge; conflict; quotaExceeded (the session ends)
 */
export async function uploadAppend(deps: PushDeps, part: UploadPart): Promise<{ offset: number }> {
  const upload = await uploadOpen(deps, part);
  try {
    return { offset: await appendTo(deps, upload, part) };
  } catch (error) {
    if (hasCode(error, 'quotaExceeded')) await uploadDrop(deps, upload);
    throw error;
  }
}

/** How far the session has come. @throws uploadUnknown */
export async function uploadStatus(deps: PushDeps, name: UploadName): Promise<{ offset: number }> {
  const upload = await uploadOpen(deps, name);
  return { offset: await deps.blobs.length(upload.storage_key) };
}

/** @throws uploadUnknown */
export async function uploadCancel(deps: PushDeps, name: UploadName): Promise<void> {
  const upload = await uploadOpen(deps, name);
  if (!(await uploadDrop(deps, upload))) throw uploadUnknown(name.uploadId);
}

/** @throws uploadUnknown */
export async function uploadOpen(
  deps: PushDeps,
  { uploadId, repository, principal }: UploadName,
): Promise<OpenUpload> {
  const upload = await uploadFind(deps.database.read, { id: uploadId, repository: repository.name });
  if (upload?.principal !== principal) throw uploadUnknown(uploadId);
  return upload;
}

/** Ends the session and lets go of its bytes. @returns false if it had ended */
export async function uploadDrop(deps: PushDeps, upload: Upload): Promise<boolean> {
  deps.digests.forget(upload.id);
  const sizeBytes = await deps.blobs.length(upload.storage_key);
  return deps.database.transact(async (tx) => {
    if (!(await uploadRemove(tx, upload.id))) return false;
    await condemnedKeyAdd(tx, { storageKey: upload.storage_key, blobId: 0, sizeBytes });
    return true;
  });
}

/** @returns the durable length */
export async function appendTo(
  deps: PushDeps,
  upload: OpenUpload,
  { source, disposable, range, signal, ...told }: Omit<UploadPart, keyof UploadName>,
): Promise<number> {
  const key = upload.storage_key;
  const fresh = deps.digests.beginsNow(upload);
  const offset = range?.start ?? (fresh ? 0 : await deps.blobs.length(key));
  const { bytesMax, exceeded } = await uploadRoom(deps, upload, told.digest);
  const end = range ? range.end + 1 : offset + (told.lengthBytes ?? 0);
  if (end > bytesMax) throw exceeded();
  const limited = range
    ? limitBytes(source, range.end - range.start + 1, () => wrongLength(range))
    : limitBytes(source, bytesMax - offset, exceeded);
  if (upload.writer !== deps.digests.process && upload.writer !== '')
    await deps.database.transact((tx) => uploadWrittenByMany(tx, upload.id));
  const hashed = deps.digests.follow(upload.id, offset, limited);
  const length = await deps.blobs
    .append(key, offset, hashed, { signal, fresh: fresh && offset === 0, disposable })
    .finally(() => assertOpenStill(deps, upload));
  await keepAwake(deps, upload);
  if (range && length !== range.end + 1) throw wrongLength(range);
  return length;
}

/**
 * A session that was slow may have ended, and its key been swept, before these bytes came: then nothing else would know
 * of them. @throws uploadUnknown
 */
async function assertOpenStill({ database }: PushDeps, { id, storage_key: key }: Upload): Promise<void> {
  if (await uploadExists(database.read, id)) return;
  await database.transact((tx) => uploadBytesLetGo(tx, key));
  throw uploadUnknown(id);
}

/** At most one write per upload in `limits.holdExtendEveryMs`. */
async function keepAwake(deps: PushDeps, upload: Upload): Promise<void> {
  const freshUntilMs = deps.clock.wallMs() + limits.uploadIdleMs - limits.holdExtendEveryMs;
  if (upload.expires_at < freshUntilMs) await deps.database.transact((tx) => uploadTouch(tx, upload.id));
}

export function uploadUnknown(uploadId: string): LazaretError {
  return new LazaretError('uploadUnknown', `there is no upload ${uploadId.slice(0, 64)} in this repository`);
}

function wrongLength({ start, end }: { start: number; end: number }): LazaretError {
  return new LazaretError('sizeInvalid', `the chunk is not as long as its range ${start}-${end} says`);
}
