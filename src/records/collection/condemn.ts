import { usageUnlinked } from '../access/usage.ts';
import { blobUnlink } from '../catalog/blobs.ts';
import type { Tx } from '../db/database.ts';
import { chunked, locked, lockedSkipping } from '../db/engine.ts';
import { type BlobNeeds, blobNeeds, needsOfBlobs } from './blob-needs.ts';

/**
 * Reads what needs a blob while its row is locked. Accepting a manifest locks the same row, so one of the two sees what
 * the other has done.
 */
export async function lockedBlobNeeds(tx: Tx, digest: string): Promise<BlobNeeds | undefined> {
  const query = tx.db.selectFrom('blobs').select('id').where('digest', '=', digest);
  await locked(tx.engine, query).execute();
  return blobNeeds(tx.db, digest, tx.nowMs);
}

/**
 * The same for many at once, by digest, without those that somebody else has locked: they are left as they are. Nobody
 * is waited for, so that collectors at work together, and pushes, never wait for each other in a circle.
 */
export async function unlockedBlobNeeds(
  tx: Tx,
  digests: readonly string[],
): Promise<{ readonly needs: ReadonlyMap<string, BlobNeeds>; readonly busy: ReadonlySet<string> }> {
  const query = tx.db.selectFrom('blobs').select('id').where('digest', 'in', digests).orderBy('id');
  const ours = new Set((await lockedSkipping(tx.engine, query).execute()).map((row) => row.id));
  const needs = await needsOfBlobs(tx.db, digests, tx.nowMs);
  const busy = [...needs].filter(([, blob]) => !ours.has(blob.id)).map(([digest]) => digest);
  return { needs, busy: new Set(busy) };
}

/** From the commit on the blobs are invisible to every door; their bytes are swept later. */
export async function blobsCondemn(tx: Tx, blobs: readonly BlobNeeds[]): Promise<void> {
  if (blobs.length === 0) return;
  const ids = blobs.map((blob) => blob.id);
  const links = await tx.db
    .deleteFrom('blob_links')
    .where('blob_id', 'in', ids)
    .returning(['repository_id', 'blob_id'])
    .execute();
  await usageUnlinked(tx, links);
  await tx.db
    .updateTable('blobs')
    .set({ state: 'condemned', storage_key: null })
    .where('id', 'in', ids)
    .execute();
  const keys = blobs.flatMap(({ id, storageKey, sizeBytes }) =>
    storageKey === null
      ? []
      : [{ storage_key: storageKey, blob_id: id, size_bytes: sizeBytes, condemned_at: tx.nowMs }],
  );
  for (const rows of chunked(keys)) await tx.db.insertInto('condemned_keys').values(rows).execute();
}

/** Repositories that lost their last manifest naming the blob lose their link to it as well. */
export async function blobUnlinkUnneeded(tx: Tx, blob: BlobNeeds): Promise<void> {
  const names = blob.digestSha512 === null ? [blob.digest] : [blob.digest, blob.digestSha512];
  const links = await tx.db
    .deleteFrom('blob_links')
    .where('blob_id', '=', blob.id)
    .where('repository_id', 'not in', (e) =>
      e
        .selectFrom('edges')
        .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
        .select('repository_manifests.repository_id')
        .where('edges.digest', 'in', names)
        .where('edges.kind', 'in', ['config', 'layer'])
        .where('repository_manifests.withdrawn_at', 'is', null),
    )
    .returning(['repository_id', 'blob_id'])
    .execute();
  await usageUnlinked(tx, links);
}

/**
 * In one repository, the manifests that need the blob go out of service, and its link goes.
 * @returns the digests of the manifests
 */
export async function withdrawFrom(tx: Tx, repositoryId: number, blob: BlobNeeds): Promise<string[]> {
  const manifests = await tx.db
    .selectFrom('repository_manifests')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .innerJoin('edges', 'edges.manifest_id', 'repository_manifests.manifest_id')
    .select(['repository_manifests.manifest_id', 'manifests.digest'])
    .distinct()
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.withdrawn_at', 'is', null)
    .where('edges.digest', '=', blob.digest)
    .where('edges.kind', 'in', ['config', 'layer'])
    .execute();
  for (const manifest of manifests) await manifestWithdraw(tx, repositoryId, manifest.manifest_id);
  await blobUnlink(tx, repositoryId, blob.id);
  return manifests.map((manifest) => manifest.digest);
}

/** Out of service, and everything else that it needed is reviewed. */
export async function manifestWithdraw(tx: Tx, repositoryId: number, manifestId: number): Promise<void> {
  await tx.db
    .updateTable('repository_manifests')
    .set({ withdrawn_at: tx.nowMs })
    .where('repository_id', '=', repositoryId)
    .where('manifest_id', '=', manifestId)
    .execute();
}
