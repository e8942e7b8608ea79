import { manifestsNaming } from '../../records/catalog/edges.ts';
import type { BlobNeeds } from '../../records/collection/blob-needs.ts';
import {
  blobsCondemn,
  lockedBlobNeeds,
  manifestWithdraw,
  withdrawFrom,
} from '../../records/collection/condemn.ts';
import {
  type ExpiredLayer,
  type ExpiredManifest,
  expiredInRepositories,
  expiredLayers,
  expiredManifests,
  repositoriesOfBlob,
} from '../../records/collection/expired-marks.ts';
import { blobsOfManifest } from '../../records/collection/manifests.ts';
import type { Tx } from '../../records/db/database.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { awaitsInspection, refusalOfBlob } from '../../records/marks/door.ts';
import { blobKeptIn, manifestKeptIn, quarantineExpired } from '../../records/marks/keeps.ts';
import type { CollectDeps } from './collect-deps.ts';
import { fullPace } from './pace.ts';

const batch = 100;

/**
 * A quarantine's retention has ended: in each repository that its marks reach, the manifests that need the layer are
 * withdrawn in the same transaction; the bytes go only when no repository may use them any more. A pin outlives it, and
 * so does another quarantine of the same layer, of an image that needs it or of the repository, whose retention or legal
 * hold stands. What is in service is decided at a repository's home: a replica takes the bytes once home has withdrawn
 * the manifests, since a release may be on its way. The quarantine's row is locked, so that a hold that was acknowledged
 * is seen.
 */
export async function expireMarks(
  deps: CollectDeps,
  actor: string,
  signal?: AbortSignal,
): Promise<{ manifests: number; condemned: number }> {
  const { database, clock, pace = fullPace } = deps;
  let manifests = 0;
  let condemned = 0;
  const nowMs = clock.wallMs();
  for await (const expired of manifestsDue(deps, nowMs)) {
    await pace.turn(signal);
    if (signal?.aborted) break;
    if (await database.transact((tx) => withdrawMarkedManifest(tx, expired, actor))) manifests += 1;
  }
  for await (const layer of layersDue(deps, nowMs)) {
    await pace.turn(signal);
    if (signal?.aborted) break;
    const done = await database.transact((tx) => takeLayer(tx, layer, actor));
    manifests += done.manifests;
    condemned += done.condemned ? 1 : 0;
  }
  return { manifests, condemned };
}

async function* manifestsDue({ database }: CollectDeps, nowMs: number): AsyncGenerator<ExpiredManifest> {
  yield* expiredManifests(database.read, nowMs, batch);
  yield* expiredInRepositories(database.read, nowMs, batch);
}

/** Page by page, for some stay: another account may use them. */
async function* layersDue({ database }: CollectDeps, nowMs: number): AsyncGenerator<ExpiredLayer> {
  for (let after = ''; ; ) {
    const page = await expiredLayers(database.read, nowMs, { after, limit: batch });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < batch) return;
    after = last.digest;
  }
}

async function withdrawMarkedManifest(tx: Tx, expired: ExpiredManifest, actor: string): Promise<boolean> {
  if (!(await quarantineExpired(tx, expired.quarantine))) return false;
  if (await manifestKeptIn(tx.db, { ...expired, nowMs: tx.nowMs })) return false;
  await manifestWithdraw(tx, expired.repositoryId, expired.manifestId);
  const { repository, digest } = expired;
  emitWithdrawn(tx, { repository, digest, quarantine: expired.quarantine, actor });
  await reviewNeeds(tx, digest);
  return true;
}

async function takeLayer(tx: Tx, layer: ExpiredLayer, actor: string) {
  const blob = await lockedBlobNeeds(tx, layer.digest);
  if (!blob || blob.state === 'condemned') return { manifests: 0, condemned: false };
  const quarantine = await quarantineExpired(tx, layer.quarantine);
  if (!quarantine) return { manifests: 0, condemned: false };
  let manifests = 0;
  for (const repository of await repositoriesOfBlob(tx.db, layer.digest)) {
    if (quarantine.scopeAccount !== null && quarantine.scopeAccount !== repository.account) continue;
    const scope = { repository: repository.name, account: repository.account };
    const refusal = await refusalOfBlob(tx.db, scope, layer.digest);
    // Of reach image: open to who pushes, and perhaps to an image whose inspection goes on.
    if (!refusal || (refusal.reach === 'image' && (await mayStillBeSpared(tx, repository.id, blob))))
      continue;
    if (await blobKeptIn(tx.db, { digest: layer.digest, repository, nowMs: tx.nowMs })) continue;
    if (repository.home !== tx.region && (await isInService(tx, repository.id, blob))) continue;
    for (const digest of await withdrawFrom(tx, repository.id, blob)) {
      manifests += 1;
      emitWithdrawn(tx, { repository: repository.name, digest, quarantine: layer.quarantine, actor });
      await reviewNeeds(tx, digest);
    }
  }
  const usable = await repositoriesOfBlob(tx.db, layer.digest);
  const kept = blob.holds.some((hold) => hold.kind === 'pin' || hold.kind === 'quarantine');
  if (usable.length > 0 || kept) return { manifests, condemned: false };
  await blobsCondemn(tx, [blob]);
  tx.emit({
    type: 'blobs.condemned',
    lane: 'local',
    subject: layer.quarantine,
    actor,
    data: { count: 1, sizeBytes: blob.sizeBytes, digests: [blob.digest], quarantine: layer.quarantine },
  });
  return { manifests, condemned: true };
}

async function isInService(tx: Tx, repositoryId: number, blob: BlobNeeds): Promise<boolean> {
  const named = { repositoryId, digest: blob.digest, kinds: ['config', 'layer'] as const };
  return (await manifestsNaming(tx.db, named)).length > 0;
}

async function mayStillBeSpared(tx: Tx, repositoryId: number, blob: BlobNeeds): Promise<boolean> {
  if (blob.holds.some((hold) => hold.kind !== 'quarantine')) return true;
  const named = { repositoryId, digest: blob.digest, kinds: ['layer'] as const };
  for (const { id } of await manifestsNaming(tx.db, named))
    if (await awaitsInspection(tx.db, id, tx.nowMs)) return true;
  return false;
}

interface Withdrawn {
  readonly repository: string;
  readonly digest: string;
  readonly quarantine: string;
  readonly actor: string;
}

function emitWithdrawn(tx: Tx, { repository, digest, quarantine, actor }: Withdrawn): void {
  const subject = `${repository}@${digest}`;
  tx.emit({
    type: 'manifest.withdrawn',
    lane: 'content',
    subject,
    actor,
    data: { repository, digest, quarantine },
  });
}

/** What a manifest that went out of service no longer needs. */
async function reviewNeeds(tx: Tx, manifestDigest: string): Promise<void> {
  for (const digest of await blobsOfManifest(tx.db, manifestDigest))
    await reviewAdd(tx, 'blob', digest, 'its manifest was withdrawn');
}
