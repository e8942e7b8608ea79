import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { assertWithinQuota } from '../../records/access/usage.ts';
import { blobInRepository, blobLink, blobsLinked, blobsLocked } from '../../records/catalog/blobs.ts';
import { repositoryEnsure } from '../../records/catalog/repositories.ts';
import { holdExtend } from '../../records/holds/holds.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import type { PushDeps } from './upload.ts';
import { assertBlobOpen, type PushedBlob } from './upload-finish.ts';

export interface BlobMount {
  readonly repository: RepositoryName;
  /** The repository that is said to hold the blob. */
  readonly from: RepositoryName;
  readonly digest: Digest;
  /** Whether the caller may read `from`. */
  readonly allowed: boolean;
}

/**
 * Links a blob of one repository to another, so that it need not be pushed again (distribution-spec, "Mounting a blob
 * from another repository"). The mark of either repository's account refuses it.
 * @returns undefined if it has to be uploaded: not allowed, not there, or about to be collected
 * @throws quarantined, quotaExceeded, denied (no such account), readOnlyReplica
 */
export async function blobMount(deps: PushDeps, mount: BlobMount): Promise<PushedBlob | undefined> {
  if (!mount.allowed) return undefined;
  const { digest } = mount;
  const source = await blobInRepository(deps.database.read, { repository: mount.from.name, digest });
  if (!source) return undefined;
  return deps.database.transact(async (tx) => {
    const repository = await repositoryEnsure(tx, mount.repository);
    const blob = (await blobsLocked(tx, [digest])).get(digest);
    if (blob?.state !== 'live') return undefined;
    if (!(await blobsLinked(tx.db, source.repository_id, [blob.id])).has(blob.id)) return undefined;
    const fresh = await blobLink(tx, repository.id, blob.id);
    await holdExtend(tx, blob.digest);
    await reviewAdd(tx, 'blob', blob.digest, 'mounted');
    await assertBlobOpen(tx, { name: mount.from.name, account: source.account }, blob);
    await assertBlobOpen(tx, repository, blob);
    if (fresh) await assertWithinQuota(tx, repository.id);
    return { digest, sizeBytes: blob.size_bytes };
  });
}
