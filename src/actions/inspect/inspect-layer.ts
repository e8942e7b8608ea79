/**
 * One job: a layer is read and what was found is kept. How it ends:
 * - read, or found to be no file system or broken → the inspection is done, not applicable or unknown, the job is gone;
 *   `layer.inspected` says so, and images that have the layer are to be viewed anew.
 * - the blob is not here (collected, or still to be copied), or was read before → the job ends quietly.
 * - it was read before by older extractors, and the newer ones want none of its files → its answers are theirs, unread.
 * - the reading failed, not the layer (the store is away, a thread crashed) → the job is tried again later; the last try
 *   makes the inspection unknown with the reason. A job whose process died each time ends so too. A layer that was read
 *   before keeps its older answers then, and its job stays dead until there is a newer version.
 * - the engine that looks for malware failed → everything else is kept; the layer counts as read without it, and is read
 *   again when the engine answers.
 * - the server is shutting down → the job is given back at once, and costs no try.
 */
import { malwareExtractor } from '../../layers/malware.ts';
import type { Clock } from '../../lib/clock.ts';
import { causeChain, LazaretError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { type InventoryVersion, inventoryVersionOf } from '../../records/inventory/inventory-versions.ts';
import type { KnownIds } from '../../records/inventory/known-ids.ts';
import { inspectionFinish, type KeptLayer, layerInventoryKeep } from '../../records/inventory/layer-keep.ts';
import { inspectionRenew } from '../../records/inventory/layer-renew.ts';
import { type InspectedBlob, inspectedBlob, inspectionOf } from '../../records/inventory/pending.ts';
import { rereadPriority } from '../../records/inventory/stale-layers.ts';
import { viewsWant } from '../../records/inventory/wanted-views.ts';
import { type Job, jobEnqueue, jobExtend, jobFail, jobFinish, jobRelease } from '../../records/jobs/jobs.ts';
import { currentFingerprintKey } from './fingerprint-key.ts';
import { inspectActor } from './inspect-actor.ts';
import type { Inspector } from './inspector.ts';
import { newerFindNothing } from './need-not-read.ts';

export interface InspectLayerDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly inspector: Inspector;
  readonly pathIds: KnownIds;
}

export async function inspectLayer(deps: InspectLayerDeps, job: Job, signal: AbortSignal): Promise<void> {
  const { database } = deps;
  const layer = layerOf(job);
  const blob = await inspectedBlob(database.read, layer.digest);
  const version = await inventoryVersionOf(database, deps.inspector.extractors);
  const before = blob && (await inspectionOf(database.read, blob.id));
  if (!blob || isRead(before, version)) return void (await database.transact((tx) => jobFinish(tx, job)));
  if (layer.forMalware && !(await deps.inspector.malware?.answers()))
    return void (await database.transact((tx) => lookAgainLater(tx, job)));
  const task: LayerTask = { job, blob, version: version.id, again: isAnswered(before) };
  if (job.attempts > limits.jobAttemptsMax)
    return fail(deps, { ...task, error: new LazaretError('internal', 'each try ended without a result') });
  const stopExtending = extendWhileRunning(deps, job);
  try {
    if (task.again && before && (await renew(deps, task, before))) return;
    await read(deps, task, { mediaType: layer.mediaType, signal });
  } catch (error) {
    if (signal.aborted) await database.transact((tx) => jobRelease(tx, job));
    else await fail(deps, { ...task, error });
  } finally {
    await stopExtending();
  }
}

interface LayerTask {
  readonly job: Job;
  readonly blob: InspectedBlob;
  /** That it is read with. */
  readonly version: number;
  /** It has an answer. */
  readonly again: boolean;
}

/** @returns false if the layer has to be read */
async function renew(
  { database, inspector }: InspectLayerDeps,
  { job, blob, version }: LayerTask,
  before: NonNullable<Before>,
): Promise<boolean> {
  const extractors = await newerFindNothing(database, { ...before, blobId: blob.id }, inspector.extractors);
  if (extractors === undefined) return false;
  await database.transact(async (tx) => {
    await jobFinish(tx, job);
    await inspectionRenew(tx, blob.id, { version, extractors });
    await viewsWant(tx, blob.digest);
  });
  return true;
}

async function read(
  { database, clock, inspector, pathIds }: InspectLayerDeps,
  task: LayerTask,
  { mediaType, signal }: { readonly mediaType: string | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const startedMs = clock.wallMs();
  const fingerprintKey = await currentFingerprintKey(database);
  const options = { signal, fingerprintKey, ...(mediaType === undefined ? {} : { mediaType }) };
  const parts = inspector.inspect(task.blob.storageKey, options);
  const kept = await layerInventoryKeep({ database, clock, pathIds }, task.blob.id, parts);
  const durationMs = clock.wallMs() - startedMs;
  if (!kept.summary.extractions.some(({ again }) => again))
    return database.transact((tx) => finish(tx, { ...task, kept, durationMs }));
  const without = inspector.extractors.filter(({ name }) => name !== malwareExtractor);
  const { id: version } = await inventoryVersionOf(database, without);
  await database.transact(async (tx) => {
    await finish(tx, { ...task, kept, durationMs, version });
    await lookAgainLater(tx, task.job);
  });
}

interface Finished extends LayerTask {
  readonly kept: KeptLayer;
  readonly durationMs: number;
}

async function finish(tx: Tx, { job, blob, version, kept, durationMs }: Finished): Promise<void> {
  await jobFinish(tx, job);
  const { summary, files, packages } = kept;
  if (!(await inspectionFinish(tx, blob.id, { summary, durationMs, version }))) return;
  await viewsWant(tx, blob.digest);
  const { state, reason, diffId, entries } = summary;
  tx.emit({
    type: 'layer.inspected',
    lane: 'content',
    subject: blob.digest,
    actor: inspectActor,
    data: { digest: blob.digest, state, reason, diffId, entries, files, packages, durationMs },
  });
}

async function fail(
  { database }: InspectLayerDeps,
  { error, ...task }: LayerTask & { readonly error: unknown },
): Promise<void> {
  const reason = causeChain(error);
  await database.transact(async (tx) => {
    if ((await jobFail(tx, task.job, reason)) === 'again' || task.again) return;
    const summary = { state: 'unknown', reason, uncompressedBytes: 0, entries: 0, extractions: [] } as const;
    await finish(tx, { ...task, kept: { summary, files: 0, packages: 0 }, durationMs: 0 });
  });
}

type Before = Awaited<ReturnType<typeof inspectionOf>>;

/** By this region: another's says no more than the diff id, and has no version. */
function isAnswered(before: Before): boolean {
  return before !== undefined && before.state !== 'pending' && before.version > 0;
}

function isRead(before: Before, { behind }: InventoryVersion): boolean {
  return before !== undefined && isAnswered(before) && !behind.includes(before.version);
}

interface AskedLayer {
  readonly digest: string;
  readonly mediaType: string | undefined;
  /** It is read again for want of what the engine says. */
  readonly forMalware: boolean;
}

function layerOf({ key, payload }: Job): AskedLayer {
  const { mediaType, forMalware } = isRecord(payload) ? payload : {};
  return {
    digest: key,
    mediaType: typeof mediaType === 'string' ? mediaType : undefined,
    forMalware: forMalware === true,
  };
}

async function lookAgainLater(tx: Tx, job: Job): Promise<void> {
  await jobFinish(tx, job);
  const payload = { ...(isRecord(job.payload) ? job.payload : {}), forMalware: true };
  const again = { kind: job.kind, key: job.key, payload, priority: rereadPriority };
  await jobEnqueue(tx, { ...again, delayMs: limits.malwareAgainMs });
}

/** Keeps the job ours while it runs. @returns a function that ends that */
function extendWhileRunning({ database, clock }: InspectLayerDeps, job: Job): () => Promise<void> {
  const ended = new AbortController();
  const extending = (async () => {
    for (;;) {
      await clock.sleep(limits.jobLeaseMs / 3, ended.signal);
      if (ended.signal.aborted) return;
      await database.transact((tx) => jobExtend(tx, job));
    }
  })();
  // A failure to extend is told by the end of the job, which is then another's.
  extending.catch(() => {});
  return async () => {
    ended.abort();
    await extending.catch(() => {});
  };
}
