import type { BlobContent, BlobStore, ByteRange } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { blobInRepository, blobsLinked, blobsLocked } from '../../records/catalog/blobs.ts';
import { manifestsNaming } from '../../records/catalog/edges.ts';
import type { Database } from '../../records/db/database.ts';
import { holdCovers, holdExtend } from '../../records/holds/holds.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { assertOpen, refusalOfBlob } from '../../records/marks/door.ts';

/**
 * The doors of a blob. It is served only in a repository that holds it, by whoever may read there; the door is asked in
 * the request itself. HEAD tells a client that it may skip an upload, so it holds what no manifest here names yet.
 * distribution-spec, "Pulling blobs".
 */
export interface PullDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Makes the bytes of a blob that another region has local: resolves when its row is live, rejects when it can't. */
  readonly fetchRemote?: ((digest: Digest) => Promise<void>) | undefined;
}

export interface BlobName {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** Whether the caller may also push here: a layer that only some of its images are refused for is open to it. */
  readonly mayPush?: boolean;
}

export interface BlobStat {
  /** As it was asked for. */
  readonly digest: Digest;
  readonly sizeBytes: number;
}

type BlobRow = NonNullable<Awaited<ReturnType<typeof blobInRepository>>>;

/** Size and door, without a hold: for conditional and range requests. @throws blobUnknown, quarantined */
export async function blobStat(deps: PullDeps, name: BlobName): Promise<BlobStat> {
  const row = await openRow(deps, name);
  return { digest: name.digest, sizeBytes: row.size_bytes };
}

/**
 * HEAD: holds the blob, at most one write in `limits.holdExtendEveryMs`, and answers when a crash of the machine leaves it,
 * since the client will skip the upload. @throws blobUnknown, quarantined */
export async function blobHead(deps: PullDeps, name: BlobName): Promise<BlobStat> {
  const row = await openRow(deps, name);
  if (row.state === 'live' && !(await isKept(deps, row))) await hold(deps, name, row);
  await deps.database.onDisk();
  return { digest: name.digest, sizeBytes: row.size_bytes };
}

/**
 * GET. The stream must be read to its end or stopped (see `BlobContent`).
 * @throws blobUnknown, quarantined, rangeInvalid; unavailable if the bytes are in another region that can't be reached
 */
export async function blobOpen(
  deps: PullDeps,
  ask: BlobName & { range?: ByteRange | undefined; signal?: AbortSignal | undefined },
): Promise<BlobContent & { digest: Digest }> {
  const row = await localRow(deps, ask);
  try {
    return { digest: ask.digest, ...(await deps.blobs.read(storageKey(row), ask.range, ask.signal)) };
  } catch (error) {
    if (!hasCode(error, 'storeMissing')) throw error;
    // It may have been collected, and pushed again under another key, since its row was read.
    const now = await localRow(deps, ask);
    if (now.storage_key === row.storage_key) throw error;
    return { digest: ask.digest, ...(await deps.blobs.read(storageKey(now), ask.range, ask.signal)) };
  }
}

/**
 * Where the store itself serves the blob, if it is configured to. The door has been asked by then; whoever has the address
 * can go on using it for `limits.redirectSeconds`. @throws as `blobOpen`
 */
export async function blobAddress(deps: PullDeps, name: BlobName): Promise<string | undefined> {
  if (deps.blobs.redirect === undefined) return undefined;
  return deps.blobs.redirect(storageKey(await localRow(deps, name)), limits.redirectSeconds);
}

/** With bytes in this region's store. */
async function localRow(deps: PullDeps, name: BlobName): Promise<BlobRow> {
  const row = await openRow(deps, name);
  if (row.state !== 'remote') return row;
  try {
    await deps.fetchRemote?.(name.digest);
  } catch (cause) {
    throw elsewhere(name.digest, cause);
  }
  // The door is asked again: fetching takes its time.
  const fetched = await openRow(deps, name);
  if (fetched.state === 'remote') throw elsewhere(name.digest);
  return fetched;
}

/** Live or remote, and open. */
async function openRow(deps: PullDeps, { repository, digest, mayPush }: BlobName): Promise<BlobRow> {
  const { read } = deps.database;
  const row = await blobInRepository(read, { repository: repository.name, digest });
  if (!row) throw blobUnknown(repository, digest);
  const scope = { repository: repository.name, account: row.account };
  assertOpen(await refusalOfBlob(read, scope, row.digest, mayPush));
  if (row.state === 'condemned') throw blobUnknown(repository, digest);
  return row;
}

/** By a manifest in service here, or by a hold that lasts long enough. */
async function isKept({ database, clock }: PullDeps, row: BlobRow): Promise<boolean> {
  const named = { repositoryId: row.repository_id, digest: row.digest, kinds: ['config', 'layer'] as const };
  if ((await manifestsNaming(database.read, named)).length > 0) return true;
  if (!(await holdCovers(database.read, row.digest, clock.wallMs() + limits.uploadHoldMs))) return false;
  // The hold may be younger than the row that was read, and the link have gone between.
  return (await blobsLinked(database.read, row.repository_id, [row.id])).has(row.id);
}

/** @throws blobUnknown if the collector was faster, which may also have taken it from this repository alone */
async function hold({ database }: PullDeps, { repository, digest }: BlobName, row: BlobRow): Promise<void> {
  await database.transact(async (tx) => {
    const blob = (await blobsLocked(tx, [digest])).get(digest);
    if (blob?.state !== 'live') throw blobUnknown(repository, digest);
    const linked = await blobsLinked(tx.db, row.repository_id, [blob.id]);
    if (!linked.has(blob.id)) throw blobUnknown(repository, digest);
    await holdExtend(tx, blob.digest);
    await reviewAdd(tx, 'blob', blob.digest, 'a client was told that it is here');
  });
}

function storageKey(row: BlobRow): string {
  if (row.storage_key !== null) return row.storage_key;
  throw new LazaretError('internal', `blob ${row.digest} is live without a key`);
}

function blobUnknown(repository: RepositoryName, digest: Digest): LazaretError {
  return new LazaretError('blobUnknown', `${repository.name} has no blob ${digest}`, { detail: { digest } });
}

function elsewhere(digest: Digest, cause?: unknown): LazaretError {
  const message = `the bytes of ${digest} are in another region, which can't be reached now`;
  return new LazaretError('unavailable', message, { detail: { digest }, cause });
}
