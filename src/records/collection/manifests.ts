import { tagTrashForget } from '../catalog/trash.ts';
import type { Tx } from '../db/database.ts';
import { lockedSkipping, type Reader } from '../db/engine.ts';
import { manifestKeptIn } from '../marks/keeps.ts';

/** A repository's manifest that DELETE or a retention rule has taken. */
export interface DeletedManifest {
  readonly repositoryId: number;
  readonly manifestId: number;
  readonly deletedAt: number;
  /** Named by a manifest of the repository that is not deleted, held, or kept by a quarantine: it must stay. */
  readonly kept: boolean;
}

/**
 * Locks the manifest's row, as a push of it does: a push that brings it back is seen, or comes after its removal.
 * @returns undefined while somebody else has locked it
 */
export async function deletedManifestsLocked(tx: Tx, digest: string): Promise<DeletedManifest[] | undefined> {
  const row = tx.db.selectFrom('manifests').select('id').where('digest', '=', digest);
  const ours = await lockedSkipping(tx.engine, row).execute();
  if (ours.length === 0 && (await row.execute()).length > 0) return undefined;
  return deletedManifests(tx.db, digest, tx.nowMs);
}

export async function deletedManifests(
  db: Reader,
  digest: string,
  nowMs: number,
): Promise<DeletedManifest[]> {
  const rows = await db
    .selectFrom('repository_manifests')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .select([
      'repository_manifests.repository_id',
      'repository_manifests.manifest_id',
      'repository_manifests.deleted_at',
    ])
    .where('manifests.digest', '=', digest)
    .where('repository_manifests.deleted_at', 'is not', null)
    .execute();
  const held = await db
    .selectFrom('holds')
    .select('id')
    .where('digest', '=', digest)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', nowMs)]))
    .executeTakeFirst();
  return Promise.all(
    rows.map(async (row) => ({
      repositoryId: row.repository_id,
      manifestId: row.manifest_id,
      deletedAt: row.deleted_at ?? 0,
      kept:
        held !== undefined ||
        (await namedByLiveIndex(db, row.repository_id, digest)) ||
        (await manifestKeptIn(db, { digest, repositoryId: row.repository_id, nowMs })),
    })),
  );
}

async function namedByLiveIndex(db: Reader, repositoryId: number, digest: string): Promise<boolean> {
  const row = await db
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .select('edges.manifest_id')
    .where('edges.digest', '=', digest)
    .where('edges.kind', '=', 'child')
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Takes a manifest out of a repository for good, and its content if no other repository has it.
 * @returns the digests of the blobs that it named
 */
export async function manifestRemove(tx: Tx, repositoryId: number, manifestId: number): Promise<string[]> {
  const { db } = tx;
  const { digest } = await db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', manifestId)
    .executeTakeFirstOrThrow();
  const named = await blobsOfManifest(db, digest);
  await db
    .deleteFrom('repository_manifests')
    .where('repository_id', '=', repositoryId)
    .where('manifest_id', '=', manifestId)
    .execute();
  await tagTrashForget(tx, { repositoryId, digest });
  const elsewhere = await db
    .selectFrom('repository_manifests')
    .select('repository_id')
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  if (!elsewhere) {
    await db.deleteFrom('image_packages').where('manifest_id', '=', manifestId).execute();
    await db.deleteFrom('image_secrets').where('manifest_id', '=', manifestId).execute();
    await db.deleteFrom('images').where('manifest_id', '=', manifestId).execute();
    await db.deleteFrom('edges').where('manifest_id', '=', manifestId).execute();
    await db.deleteFrom('manifests').where('id', '=', manifestId).execute();
  }
  return named;
}

/** The digests of the blobs that a manifest names. */
export async function blobsOfManifest(db: Reader, manifestDigest: string): Promise<string[]> {
  const edges = await db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select('edges.digest')
    .where('manifests.digest', '=', manifestDigest)
    .where('edges.kind', 'in', ['config', 'layer'])
    .execute();
  return edges.map((edge) => edge.digest);
}
