import { createHash } from 'node:crypto';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ByteSource } from '../../lib/streams.ts';
import { type Digest, digestAlgorithm, digestEnd } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { assertWithinQuota } from '../../records/access/usage.ts';
import { edgesRename, layerArrived } from '../../records/catalog/arrivals.ts';
import { type Blob, blobKeep, blobLink, type StoredBlob } from '../../records/catalog/blobs.ts';
import {
  diffIdsFound,
  isNamed,
  manifestsRestore,
  withdrawnNeedsLocked,
} from '../../records/catalog/edges.ts';
import { type Repository, repositoryForChange } from '../../records/catalog/repositories.ts';
import type { Tx } from '../../records/db/database.ts';
import { holdSet } from '../../records/holds/holds.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { assertOpen, refusalOfContent } from '../../records/marks/door.ts';
import {
  type OpenUpload,
  type Upload,
  uploadRemove,
  uploadWrittenOnlyBy,
} from '../../records/uploads/uploads.ts';
import {
  appendTo,
  type PushDeps,
  seenEarly,
  type UploadPart,
  uploadDrop,
  uploadOpen,
  uploadStart,
  uploadUnknown,
} from './upload.ts';

/**
 * The closing of an upload. Bytes first: they are verified and committed in the store before any row says that they are
 * there. Then one transaction removes the session, makes the blob's row live, links it to the repository and holds it.
 *
 * Who wins:
 * - two closings of one session: the first removes its row, the second gets uploadUnknown;
 * - two server processes that write to one session: the row says so before the second writes, and each reads the bytes
 *   again once they are committed, when no writer reaches them any more (`blobs/upload-files.ts`);
 * - two sessions with the same digest: both succeed; the second finds a live row, and its own bytes are swept;
 * - a closing and the collector: both lock the blob's row. Before it condemns: a known blob, now held. After: the row
 *   lives again with the new key, and the old key is swept as planned;
 * - a closing and a quarantine: the door is asked when the transaction has its place in the log, so a mark that was
 *   acknowledged before is seen; then the session is dropped, whenever it was begun;
 * - two closings that together are over the account's quota: each reads the sum when it has its place in the log, so the
 *   second sees the first and is refused; its session is dropped;
 * - a crash before the commit leaves the session as it was: closing it again does the rest.
 */
export interface UploadEnd extends Omit<UploadPart, 'source' | 'digest'> {
  readonly digest: Digest;
  /** The last chunk, or all of it; undefined when the closing request has no body. */
  readonly source?: ByteSource | undefined;
}

export interface PushedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * @throws digestInvalid (the session ends, nothing is visible), quarantined, quotaExceeded (the session ends), and as
 *   `uploadAppend`
 */
export async function uploadFinish(deps: PushDeps, end: UploadEnd): Promise<PushedBlob> {
  const upload = await uploadOpen(deps, end);
  deps.digests.also(upload.id, digestAlgorithm(end.digest));
  const { repository, digest } = end;
  try {
    const stored = await storeBytes(deps, upload, end);
    await deps.database.transact((tx) => publish(tx, { upload, repository, stored }), seenEarly);
    deps.digests.forget(upload.id);
    return { digest, sizeBytes: stored.sizeBytes };
  } catch (error) {
    if (hasCode(error, 'quarantined') || hasCode(error, 'quotaExceeded')) await uploadDrop(deps, upload);
    throw error;
  }
}

/** A whole blob in one request: POST with `digest`. @throws as `uploadStart` and `uploadFinish` */
export async function uploadMonolithic(
  deps: PushDeps,
  blob: Omit<UploadEnd, 'uploadId' | 'range'> & { readonly source: ByteSource },
): Promise<PushedBlob> {
  const { repository, principal, digest } = blob;
  const { uploadId } = await uploadStart(deps, { repository, principal, algorithm: digestAlgorithm(digest) });
  try {
    return await uploadFinish(deps, { ...blob, uploadId });
  } catch (error) {
    // The client never learned the session's name.
    const upload = await uploadOpen(deps, { repository, uploadId, principal }).catch(() => undefined);
    if (upload) await uploadDrop(deps, upload);
    throw error;
  }
}

async function storeBytes(deps: PushDeps, upload: OpenUpload, end: UploadEnd): Promise<StoredBlob> {
  const key = upload.storage_key;
  const written = end.source === undefined ? await deps.blobs.length(key) : 0;
  // An empty blob needs a key as well.
  const sizeBytes =
    written > 0 ? written : await appendTo(deps, upload, { ...end, source: end.source ?? noBytes() });
  const sha512Asked = digestAlgorithm(end.digest) === 'sha512';
  const seen = {
    sha256: deps.digests.get(upload.id, 'sha256', sizeBytes),
    sha512: sha512Asked ? deps.digests.get(upload.id, 'sha512', sizeBytes) : undefined,
  };
  // What is known to be wrong is not committed at all.
  const seenAsked = sha512Asked ? seen.sha512 : seen.sha256;
  if (seenAsked !== undefined && seenAsked !== end.digest)
    return refuseDigest(deps, upload, end.digest, seenAsked);
  await deps.blobs.commit(key);
  // Asked after the commit: from then on nobody can write to it any more.
  const alone = await uploadWrittenOnlyBy(deps.database.read, {
    id: upload.id,
    writer: deps.digests.process,
  });
  const stored =
    alone && seen.sha256 && seenAsked
      ? { sha256: seen.sha256, sha512: seen.sha512, sizeBytes }
      : await digestsOfStored(deps, upload, sha512Asked);
  const found = sha512Asked ? stored.sha512 : stored.sha256;
  if (found !== end.digest) return refuseDigest(deps, upload, end.digest, found);
  return { ...stored, storageKey: key };
}

async function refuseDigest(
  deps: PushDeps,
  upload: Upload,
  asked: Digest,
  found: string | undefined,
): Promise<never> {
  await uploadDrop(deps, upload);
  throw new LazaretError('digestInvalid', `the content has the digest ${found}, not ${asked}`, {
    detail: { digest: asked, found },
  });
}

/** Reads the committed bytes again. */
async function digestsOfStored(deps: PushDeps, upload: Upload, withSha512: boolean) {
  const sha256 = createHash('sha256');
  const sha512 = withSha512 ? createHash('sha512') : undefined;
  const { sizeBytes, stream } = await deps.blobs.read(upload.storage_key);
  for await (const chunk of stream) {
    sha256.update(chunk);
    sha512?.update(chunk);
  }
  return {
    sha256: digestEnd(sha256, 'sha256'),
    sha512: sha512 && digestEnd(sha512, 'sha512'),
    sizeBytes,
  };
}

interface Publishing {
  readonly upload: Upload;
  readonly repository: RepositoryName;
  readonly stored: StoredBlob;
}

/** @throws uploadUnknown, quarantined */
async function publish(tx: Tx, { upload, repository: { name }, stored }: Publishing): Promise<void> {
  if (!(await uploadRemove(tx, upload.id))) throw uploadUnknown(upload.id);
  const repository = await repositoryForChange(tx, name);
  await withdrawnNeedsLocked(tx, repository.id, stored.sha256);
  const { blob } = await blobKeep(tx, stored);
  if (stored.sha512) await edgesRename(tx, { sha512: stored.sha512, sha256: blob.digest });
  const named = await isNamed(tx.db, blob.digest);
  if (named) await layerArrived(tx, blob);
  const fresh = await blobLink(tx, repository.id, blob.id);
  const expiresAt = tx.nowMs + limits.uploadHoldMs;
  await holdSet(tx, { kind: 'upload', digest: blob.digest, holder: upload.id, expiresAt });
  await reviewAdd(tx, 'blob', blob.digest, 'uploaded');
  if (named) await restoreManifests(tx, { repository, blob, actor: upload.principal });
  await assertBlobOpen(tx, repository, blob);
  if (fresh) await assertWithinQuota(tx, repository.id);
}

/**
 * The last thing that a transaction reads: from `nextVersion` to the commit no other transaction is acknowledged, so no
 * mark can come in between.
 * @throws quarantined
 */
export async function assertBlobOpen(
  tx: Tx,
  repository: Pick<Repository, 'name' | 'account'>,
  blob: Blob,
): Promise<void> {
  const diffIds = await diffIdsFound(tx.db, [blob.id]);
  await tx.nextVersion();
  const scope = { repository: repository.name, account: repository.account };
  const digests = [blob.digest, blob.digest_sha512].filter((digest) => digest !== null);
  assertOpen(await refusalOfContent(tx.db, scope, { digests, diffIds }));
}

/** Manifests that were withdrawn for want of these bytes; followers learn of it as of a push. */
async function restoreManifests(
  tx: Tx,
  of: { repository: Repository; blob: Blob; actor: string },
): Promise<void> {
  const { repository, blob, actor } = of;
  for (const { digest, mediaType } of await manifestsRestore(tx, repository, blob.digest))
    tx.emit({
      type: 'manifest.pushed',
      lane: 'content',
      account: repository.account,
      subject: `${repository.name}@${digest}`,
      actor,
      data: { repository: repository.name, digest, mediaType, tags: [] },
    });
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
