import type { Tx } from '../db/database.ts';
import { locked } from '../db/engine.ts';
import { type BlobNeeds, blobNeeds } from './blob-needs.ts';

/**
 * Reads what needs a blob while its row is locked. Accepting a manifest locks the same row, so one of the two sees what
 * the other has done.
 */
export async function lockedBlobNeeds(tx: Tx, digest: string): Promise<BlobNeeds | undefined> {
  const query = tx.db.selectFrom('blobs').select('id').where('digest', '=', digest);
  await locked(tx.engine, query).execute();
  return blobNeeds(tx.db, digest, tx.nowMs);
}

/** From the commit on the blob is invisible to every door; its bytes are swept later. */
export async function blobCondemn(tx: Tx, blob: BlobNeeds): Promise<void> {
  await tx.db.deleteFrom('blob_links').where('blob_id', '=', blob.id).execute();
  await tx.db
    .updateTable('blobs')
    .set({ state: 'condemned', storage_key: null })
    .where('id', '=', blob.id)
    .execute();
  if (blob.storageKey === null) return;
  await tx.db
    .insertInto('condemned_keys')
    .values({
      storage_key: blob.storageKey,
      blob_id: blob.id,
      size_bytes: blob.sizeBytes,
      condemned_at: tx.nowMs,
    })
    .execute();
}

/** Repositories that lost their last manifest naming the blob lose their link to it as well. */
export async function blobUnlinkUnneeded(tx: Tx, blob: BlobNeeds): Promise<void> {
  const needing = blob.neededBy.map((manifest) => manifest.repository);
  const links = await tx.db
    .selectFrom('blob_links')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .select(['repositories.id', 'repositories.name'])
    .where('blob_links.blob_id', '=', blob.id)
    .execute();
  const unneeded = links.filter((link) => !needing.includes(link.name)).map((link) => link.id);
  if (unneeded.length === 0) return;
  await tx.db
    .deleteFrom('blob_links')
    .where('blob_id', '=', blob.id)
    .where('repository_id', 'in', unneeded)
    .execute();
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
  await tx.db
    .deleteFrom('blob_links')
    .where('repository_id', '=', repositoryId)
    .where('blob_id', '=', blob.id)
    .execute();
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
