/**
 * One blob from a peer's store into this one's.
 *
 *   job queued ─► claimed ─► bytes appended under a key that the job remembers ─► committed, verified ─► row live
 *
 * The row stays `remote` until digest and size were verified, so nothing unverified is ever visible. A cut connection or
 * a crash leaves the bytes and the key, and the next attempt goes on where they end. Bytes that turn out wrong are let go
 * and fetched anew. A key has one writer ever: an attempt that ends in order leaves its key to the
 * next one; whoever finds a key that was not left begins another, since the former holder of the job's lease may be alive,
 * only late, and would write into a copy that is verified already. Whoever finds that the job knows another key than its
 * own lets go of its bytes, unless a blob has them.
 */
import { createHash } from 'node:crypto';
import type { BlobKey, BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { keyInTime } from '../../lib/random.ts';
import { hashing, limitBytes } from '../../lib/streams.ts';
import { type Digest, digestEnd, parseDigest } from '../../oci/digest.ts';
import {
  type Blob,
  blobFind,
  blobKeep,
  blobKeyInUse,
  blobsLocked,
  condemnedKeyAdd,
} from '../../records/catalog/blobs.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import {
  type Job,
  jobFail,
  jobFinish,
  jobPayload,
  jobRelease,
  jobRemember,
} from '../../records/jobs/jobs.ts';
import { refusalOfBlob } from '../../records/marks/door.ts';
import { type CopySource, copySources } from '../../records/regions/copies.ts';
import type { PeerLink } from './peer-link.ts';

export interface CopyDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** This region. */
  readonly region: string;
  /** By the peer's name. */
  readonly links: ReadonlyMap<string, PeerLink>;
}

/** `refused`: a quarantine reaches it everywhere it could be had from. `unneeded`: it is here, or nothing needs it. */
export type CopyOutcome = 'copied' | 'refused' | 'unneeded';

/**
 * Does the job and finishes it.
 * @throws unavailable, blobUnknown, digestInvalid or sizeInvalid: the job is still there and may be tried again
 */
export async function copyBlob(deps: CopyDeps, job: Job, signal: AbortSignal): Promise<CopyOutcome> {
  const startedAt = deps.clock.bootMs();
  const { blob, sources } = await copyNeeded(deps.database.read, job, deps.region);
  if (blob === undefined) return abandon(deps, job);
  const key = await keyOf(deps, job);
  if (key === undefined) return 'unneeded';
  const open: CopySource[] = [];
  for (const source of sources)
    if (!(await refusalOfBlob(deps.database.read, source, job.key))) open.push(source);
  const from = await fetchFromAny({ ...deps, blob, key, signal }, open).catch(async (error: unknown) => {
    // Wrong bytes must not be what the next attempt goes on from. They have no row: nobody saw them.
    await (isWrong(error) ? discard(deps, job, key) : leave(deps, job, key));
    throw error;
  });
  if (from === undefined) return endRefused(deps, { job, key, sources });
  await keepCopy(deps, job, { blob, key, from, durationMs: Math.round(deps.clock.bootMs() - startedAt) });
  return 'copied';
}

/** There are no more attempts: lets go of the bytes that the job's row remembers, whichever attempt they came with. */
export async function copyGivenUp(tx: Tx, job: Job): Promise<void> {
  const known = await knownKey(tx, job);
  if (known === undefined) return;
  await keyLetGo(tx, known);
  await jobRemember(tx, job, {});
}

/** The attempt has ended with bytes that no other one must go on from. */
async function discard({ database }: CopyDeps, job: Job, key: BlobKey): Promise<void> {
  await database.transact(async (tx) => {
    const known = await knownKey(tx, job);
    await keyLetGo(tx, key);
    if (known === key) await jobRemember(tx, job, {});
  });
}

/** The attempt has ended, and writes no more: the next one goes on under the same key. */
async function leave({ database }: CopyDeps, job: Job, key: BlobKey): Promise<void> {
  await database.transact(async (tx) => {
    const known = await knownKey(tx, job);
    if (known === key) await jobRemember(tx, job, { storageKey: key, left: true });
    else await keyLetGo(tx, key);
  });
}

/**
 * Under a quarantine that is known here the job is over: its release begins another. Else that has not come yet, or its
 * release came while home still refused: then nobody else would begin one, and the job is tried again.
 */
async function endRefused(
  { database }: CopyDeps,
  { job, key, sources }: { job: Job; key: BlobKey; sources: readonly CopySource[] },
): Promise<'refused'> {
  await database.transact(async (tx) => {
    const known = await knownKey(tx, job);
    for (const each of new Set([key, known])) if (each) await keyLetGo(tx, each);
    const open: CopySource[] = [];
    for (const source of sources) if (!(await refusalOfBlob(tx.db, source, job.key))) open.push(source);
    if (open.length === 0) return jobFinish(tx, job);
    await jobRemember(tx, job, {});
    await jobFail(
      tx,
      job,
      `refused by ${open.map(({ home }) => home).join(', ')}, and by no quarantine that is known here`,
    );
  });
  return 'refused';
}

/** Nothing needs the bytes: unless somebody has come to since that was read, who asked for this very job. */
async function abandon({ database, region }: CopyDeps, job: Job): Promise<'unneeded'> {
  await database.transact(async (tx) => {
    const known = await knownKey(tx, job);
    const { blob } = await copyNeeded(tx.db, job, region);
    if (blob !== undefined) return jobRelease(tx, job);
    for (const each of new Set([rememberedKey(job), known])) if (each) await keyLetGo(tx, each);
    await jobFinish(tx, job);
  });
  return 'unneeded';
}

/** @returns the row, if its bytes are to be copied, and from where */
async function copyNeeded(
  db: Reader,
  job: Job,
  region: string,
): Promise<{ blob: Blob | undefined; sources: readonly CopySource[] }> {
  const blob = await blobFind(db, parseDigest(job.key));
  const sources = await copySources(db, job.key, region);
  return { blob: blob?.state === 'remote' && sources.length > 0 ? blob : undefined, sources };
}

/** The key that the job's row remembers now; the row is locked. */
async function knownKey(tx: Tx, job: Job): Promise<BlobKey | undefined> {
  const now = await jobPayload(tx, job);
  return now && rememberedKey(now);
}

/** Unless another worker has made its bytes a blob's. */
async function keyLetGo(tx: Tx, storageKey: BlobKey): Promise<void> {
  if (!(await blobKeyInUse(tx, storageKey)))
    await condemnedKeyAdd(tx, { storageKey, blobId: 0, sizeBytes: 0 });
}

function rememberedKey({ payload }: Pick<Job, 'payload'>): BlobKey | undefined {
  return isRecord(payload) && typeof payload.storageKey === 'string' ? payload.storageKey : undefined;
}

/** @returns undefined if the job is finished: bytes under a key that no row names would never be found again */
async function keyOf(deps: CopyDeps, job: Job): Promise<BlobKey | undefined> {
  return deps.database.transact(async (tx) => {
    const now = await jobPayload(tx, job);
    if (!now) return undefined;
    const known = rememberedKey(now);
    const isLeft = isRecord(now.payload) && now.payload.left === true;
    if (known && !isLeft) await keyLetGo(tx, known);
    const storageKey = known && isLeft ? known : keyInTime(tx.nowMs);
    await jobRemember(tx, job, { storageKey });
    return storageKey;
  });
}

interface Copying extends CopyDeps {
  readonly blob: Blob;
  readonly key: BlobKey;
  readonly signal: AbortSignal;
}

/**
 * Asks the sources in order.
 * @returns the region it came from; undefined if a quarantine refused it everywhere
 * @throws what the last source failed with
 */
async function fetchFromAny(copying: Copying, sources: readonly CopySource[]): Promise<string | undefined> {
  let failure: unknown;
  for (const source of sources) {
    try {
      await fetchFrom(copying, source);
      return source.home;
    } catch (error) {
      copying.signal.throwIfAborted();
      if (isWrong(error)) throw error;
      if (!hasCode(error, 'quarantined')) failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

async function fetchFrom(copying: Copying, { repository, home }: CopySource): Promise<void> {
  const { blobs, key, signal, blob } = copying;
  const link = copying.links.get(home);
  if (!link) throw new LazaretError('unavailable', `this region does not follow region ${home}`);
  const have = await blobs.length(key);
  const hash = createHash('sha256');
  if (have < blob.size_bytes || blob.size_bytes === 0) {
    const source = await link.blob({ digest: blob.digest, repository, from: have }, signal);
    const rest = limitBytes(source, blob.size_bytes - have, () => wrongSize(blob));
    await blobs.append(key, have, hashing(rest, hash), { signal });
  }
  await blobs.commit(key);
  await verify(copying, have === 0 ? digestEnd(hash, 'sha256') : undefined);
}

/** @param streamed the digest of what was stored, if all of it was seen on its way; else it is read back */
async function verify(copying: Copying, streamed: Digest | undefined): Promise<void> {
  const { blob, key, blobs } = copying;
  if ((await blobs.length(key)) !== blob.size_bytes) throw wrongSize(blob);
  const digest = streamed ?? (await digestOfStored(copying));
  if (digest !== blob.digest)
    throw new LazaretError('digestInvalid', `what came as ${blob.digest} is ${digest}`);
}

async function digestOfStored({ blobs, key, signal }: Copying): Promise<Digest> {
  const hash = createHash('sha256');
  const { stream } = await blobs.read(key, undefined, signal);
  for await (const chunk of stream) hash.update(chunk);
  return digestEnd(hash, 'sha256');
}

function isWrong(error: unknown): boolean {
  return hasCode(error, 'digestInvalid') || hasCode(error, 'sizeInvalid');
}

function wrongSize({ digest, size_bytes: sizeBytes }: Blob): LazaretError {
  return new LazaretError('sizeInvalid', `what came as ${digest} does not have ${sizeBytes} bytes`);
}

interface Copied {
  readonly blob: Blob;
  readonly key: BlobKey;
  readonly from: string;
  readonly durationMs: number;
}

async function keepCopy(
  { database }: CopyDeps,
  job: Job,
  { blob, key, from, durationMs }: Copied,
): Promise<void> {
  const { digest, size_bytes: sizeBytes } = blob;
  const sha256 = parseDigest(digest);
  await database.transact(async (tx) => {
    const known = await knownKey(tx, job);
    // Another worker has finished the job, or has given up these bytes.
    if (known !== key) return keyLetGo(tx, key);
    await jobFinish(tx, job);
    const row = (await blobsLocked(tx, [sha256])).get(digest);
    // Here by another way meanwhile, or collected: then nothing needs these bytes.
    if (row?.state !== 'remote') return keyLetGo(tx, key);
    await blobKeep(tx, { sha256, sha512: undefined, sizeBytes, storageKey: key });
    const data = { digest, sizeBytes, from, durationMs };
    tx.emit({ type: 'blob.copied', lane: 'local', subject: digest, actor: 'replication', data });
  });
}

/** How often a copy says that it is alive. */
export const copyAliveEveryMs = limits.jobLeaseMs / 4;
