import type { Tx } from '../db/database.ts';
import { vexReferrersWant } from '../exceptions/referrers.ts';
import { blobLink } from './blobs.ts';
import { blobsNeededLocked, type NamingManifest } from './edges.ts';
import { manifestsLocked, notDeleted } from './manifests.ts';
import type { Repository } from './repositories.ts';

/**
 * Out of the trash again: a manifest, whatever went with it because it refers to it, and, of an index, the children that
 * were deleted meanwhile. Their rows are locked as the collector locks them before it takes them out for good: whoever
 * comes second sees what the other has done. Their blobs are there, since the collector counts a deleted manifest as one
 * that needs them; a blob that was deleted from the repository by itself is linked to it again.
 *
 * @param from deleted or not
 * @returns what is in service again, `from` first
 */
export async function manifestBringBack(
  tx: Tx,
  { repository, from, actor }: { repository: Repository; from: NamingManifest; actor: string },
): Promise<NamingManifest[]> {
  const back: NamingManifest[] = [];
  const seen = new Set<number>();
  let level = [from.id];
  while (level.length > 0) {
    for (const id of level) seen.add(id);
    for (const manifest of await manifestsLocked(tx, level))
      if (await undelete(tx, repository, { manifest, actor })) back.push(manifest);
    const found = [
      ...(await wentWith(tx, repository.id, level)),
      ...(await childrenHere(tx, repository.id, level)),
    ];
    level = [...new Set(found)].filter((id) => !seen.has(id)).sort((a, b) => a - b);
  }
  await relink(tx, repository.id, back);
  if (back.length > 0)
    await vexReferrersWant(
      tx,
      repository.name,
      back.map(({ id }) => id),
    );
  return back;
}

async function undelete(
  tx: Tx,
  repository: Repository,
  { manifest, actor }: { manifest: NamingManifest; actor: string },
): Promise<boolean> {
  const row = await tx.db
    .updateTable('repository_manifests')
    // A retention rule counts anew: else it would take it again at once.
    .set({ ...notDeleted, untagged_at: tx.nowMs })
    .where('repository_id', '=', repository.id)
    .where('manifest_id', '=', manifest.id)
    .where('deleted_at', 'is not', null)
    .returning(['pushed_at', 'pushed_by'])
    .executeTakeFirst();
  if (!row) return false;
  tx.emit({
    type: 'manifest.restored',
    lane: 'content',
    account: repository.account,
    subject: `${repository.name}@${manifest.digest}`,
    actor,
    data: {
      repository: repository.name,
      digest: manifest.digest,
      pushedAt: row.pushed_at,
      pushedBy: row.pushed_by,
    },
  });
  return true;
}

async function relink(tx: Tx, repositoryId: number, manifests: readonly NamingManifest[]): Promise<void> {
  if (manifests.length === 0) return;
  const ids = manifests.map((manifest) => manifest.id);
  for (const blob of await blobsNeededLocked(tx, ids))
    if (blob.state !== 'condemned') await blobLink(tx, repositoryId, blob.id);
}

async function wentWith(tx: Tx, repositoryId: number, manifestIds: readonly number[]): Promise<number[]> {
  const rows = await tx.db
    .selectFrom('repository_manifests')
    .select('manifest_id')
    .where('repository_id', '=', repositoryId)
    .where('deleted_at', 'is not', null)
    .where('deleted_with', 'in', [...manifestIds])
    .execute();
  return rows.map((row) => row.manifest_id);
}

/** Also the children that are in service: theirs may be deleted. */
async function childrenHere(tx: Tx, repositoryId: number, manifestIds: readonly number[]): Promise<number[]> {
  const rows = await tx.db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.digest', 'edges.digest')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select('manifests.id')
    .distinct()
    .where('edges.manifest_id', 'in', [...manifestIds])
    .where('edges.kind', '=', 'child')
    .where('repository_manifests.repository_id', '=', repositoryId)
    .execute();
  return rows.map((row) => row.id);
}
