import {
  blobCondemn,
  lockedBlobNeeds,
  manifestWithdraw,
  withdrawFrom,
} from '../../records/collection/condemn.ts';
import {
  type ExpiredLayer,
  type ExpiredManifest,
  expiredLayers,
  expiredManifests,
  repositoriesOfBlob,
} from '../../records/collection/expired-marks.ts';
import { blobsOfManifest } from '../../records/collection/manifests.ts';
import type { Tx } from '../../records/db/database.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { refusalOfBlob } from '../../records/marks/door.ts';
import type { CollectDeps } from './collect-deps.ts';

const batch = 100;

/**
 * A quarantine's retention has ended: in each repository that its marks reach, the manifests that need the layer are
 * withdrawn in the same transaction; the bytes go only when no repository may use them any more. A pin outlives it.
 */
export async function expireMarks(
  deps: CollectDeps,
  actor: string,
  signal?: AbortSignal,
): Promise<{ manifests: number; condemned: number }> {
  const { database, clock } = deps;
  let manifests = 0;
  let condemned = 0;
  for (const expired of await expiredManifests(database.read, clock.wallMs(), batch)) {
    if (signal?.aborted) break;
    await database.transact((tx) => withdrawMarkedManifest(tx, expired, actor));
    manifests += 1;
  }
  for (const layer of await expiredLayers(database.read, clock.wallMs(), batch)) {
    if (signal?.aborted) break;
    const done = await database.transact((tx) => takeLayer(tx, layer, actor));
    manifests += done.manifests;
    condemned += done.condemned ? 1 : 0;
  }
  return { manifests, condemned };
}

async function withdrawMarkedManifest(tx: Tx, expired: ExpiredManifest, actor: string): Promise<void> {
  await manifestWithdraw(tx, expired.repositoryId, expired.manifestId);
  const { repository, digest } = expired;
  emitWithdrawn(tx, { repository, digest, quarantine: expired.quarantine, actor });
  await reviewNeeds(tx, digest);
}

async function takeLayer(tx: Tx, layer: ExpiredLayer, actor: string) {
  const blob = await lockedBlobNeeds(tx, layer.digest);
  if (!blob || blob.state === 'condemned') return { manifests: 0, condemned: false };
  let manifests = 0;
  for (const repository of await repositoriesOfBlob(tx.db, layer.digest)) {
    const scope = { repository: repository.name, account: repository.account };
    if (!(await refusalOfBlob(tx.db, scope, layer.digest))) continue;
    for (const digest of await withdrawFrom(tx, repository.id, blob)) {
      manifests += 1;
      emitWithdrawn(tx, { repository: repository.name, digest, quarantine: layer.quarantine, actor });
      await reviewNeeds(tx, digest);
    }
  }
  const usable = await repositoriesOfBlob(tx.db, layer.digest);
  const pinned = blob.holds.some((hold) => hold.kind === 'pin');
  if (usable.length > 0 || pinned) return { manifests, condemned: false };
  await blobCondemn(tx, blob);
  tx.emit({
    type: 'blobs.condemned',
    lane: 'local',
    subject: layer.quarantine,
    actor,
    data: { count: 1, sizeBytes: blob.sizeBytes, digests: [blob.digest], quarantine: layer.quarantine },
  });
  return { manifests, condemned: true };
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
