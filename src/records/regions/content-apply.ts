import type { DigestAlgorithm } from '../../oci/digest.ts';
import { type Repository, repositoryFind } from '../catalog/repositories.ts';
import { blobsOfManifest } from '../collection/manifests.ts';
import type { Tx } from '../db/database.ts';
import { reviewAdd } from '../holds/review.ts';
import { inspectionFollow } from './inspection-apply.ts';

/**
 * What a repository's home says of its content after a manifest is here: tags, deletions, withdrawals, and what inspection
 * found. Of a repository whose home is another region, or that is not here, nothing is changed.
 */
interface Followed {
  /** The region that says so. */
  readonly origin: string;
  readonly repository: string;
}

export async function manifestGoneApply(
  tx: Tx,
  gone: Followed & { readonly digest: string; readonly at: number; readonly how: 'deleted' | 'withdrawn' },
): Promise<void> {
  const repository = await replicaOf(tx, gone);
  const manifestId = await manifestIdOf(tx, gone.digest);
  if (!repository || manifestId === undefined) return;
  const ended = gone.how === 'deleted' ? { deleted_at: gone.at } : { withdrawn_at: gone.at };
  await tx.db
    .updateTable('repository_manifests')
    .set(ended)
    .where('repository_id', '=', repository.id)
    .where('manifest_id', '=', manifestId)
    .execute();
  if (gone.how === 'deleted')
    await tx.db
      .deleteFrom('tags')
      .where('repository_id', '=', repository.id)
      .where('manifest_id', '=', manifestId)
      .execute();
  const reason = `${gone.how} in region ${gone.origin}`;
  await reviewAdd(tx, 'manifest', gone.digest, reason);
  // What was deleted stays for a grace, and its blobs are reviewed when it goes.
  if (gone.how === 'withdrawn')
    for (const digest of await blobsOfManifest(tx.db, gone.digest))
      await reviewAdd(tx, 'blob', digest, reason);
}

export async function tagApply(
  tx: Tx,
  tag: Followed & {
    readonly tag: string;
    readonly digest: string;
    readonly algorithm: DigestAlgorithm;
    readonly at: number;
    readonly actor: string;
  },
): Promise<void> {
  const repository = await replicaOf(tx, tag);
  const manifestId = await manifestIdOf(tx, tag.digest);
  if (!repository || manifestId === undefined) return;
  const { algorithm, at, actor } = tag;
  const named = { manifest_id: manifestId, algorithm, updated_at: at, updated_by: actor };
  await tx.db
    .insertInto('tags')
    .values({ repository_id: repository.id, name: tag.tag, ...named })
    .onConflict((c) => c.columns(['repository_id', 'name']).doUpdateSet(named))
    .execute();
}

export async function tagGoneApply(tx: Tx, gone: Followed & { readonly tag: string }): Promise<void> {
  const repository = await replicaOf(tx, gone);
  if (!repository) return;
  await tx.db
    .deleteFrom('tags')
    .where('repository_id', '=', repository.id)
    .where('name', '=', gone.tag)
    .execute();
}

export async function inspectionApply(
  tx: Tx,
  inspected: { readonly origin: string; readonly digest: string; readonly diffId: string | null },
): Promise<void> {
  const blob = await tx.db
    .selectFrom('blobs')
    .select('id')
    .where('digest', '=', inspected.digest)
    .executeTakeFirst();
  const { origin, diffId } = inspected;
  if (blob) await inspectionFollow(tx, { blobId: blob.id, origin, diffId });
}

async function replicaOf(tx: Tx, { repository: name, origin }: Followed): Promise<Repository | undefined> {
  const repository = await repositoryFind(tx.db, name);
  return repository?.homeRegion === origin ? repository : undefined;
}

async function manifestIdOf(tx: Tx, digest: string): Promise<number | undefined> {
  const row = await tx.db
    .selectFrom('manifests')
    .select('id')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.id;
}
