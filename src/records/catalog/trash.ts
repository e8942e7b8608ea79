import type { DigestAlgorithm } from '../../oci/digest.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/**
 * What was deleted and can be brought back: tags as rows of their own, manifests as rows marked deleted. The collector
 * empties it; until then, which is at least its grace, the bytes are there.
 */
export interface TrashItem {
  readonly repository: string;
  /** null: a manifest that was deleted. */
  readonly tag: string | null;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly deletedAt: number;
  /** null: in another region. */
  readonly deletedBy: string | null;
  /** The rule that took it. */
  readonly cause: string | null;
  /** The digest of the subject with which it went, and with which it comes back. */
  readonly with: string | null;
}

/** Fewer than one statement may carry values. */
const namesAtOnce = 10_000;

/** Newest first. */
export async function trashList(
  db: Reader,
  { repositories, limit }: { repositories: readonly string[]; limit: number },
): Promise<TrashItem[]> {
  const items: TrashItem[] = [];
  for (let at = 0; at < repositories.length; at += namesAtOnce) {
    const some = repositories.slice(at, at + namesAtOnce);
    items.push(...(await deletedManifestList(db, { repositories: some, limit })));
    items.push(...(await deletedTagList(db, { repositories: some, limit })));
  }
  return items.sort((a, b) => b.deletedAt - a.deletedAt).slice(0, limit);
}

function deletedManifestList(
  db: Reader,
  { repositories, limit }: { repositories: readonly string[]; limit: number },
): Promise<TrashItem[]> {
  return db
    .selectFrom('repository_manifests')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .leftJoin('manifests as subjects', 'subjects.id', 'repository_manifests.deleted_with')
    .select((e) => ['repositories.name as repository', e.val<string | null>(null).as('tag')])
    .select(['manifests.digest', 'subjects.digest as with'])
    .select((e) => e.fn.coalesce('repository_manifests.deleted_at', e.lit(0)).as('deletedAt'))
    .select(['repository_manifests.deleted_by as deletedBy', 'repository_manifests.deleted_cause as cause'])
    .where('repository_manifests.deleted_at', 'is not', null)
    .where('repositories.name', 'in', repositories)
    .orderBy('repository_manifests.deleted_at', 'desc')
    .limit(limit)
    .execute();
}

/** Of manifests that the repository has, deleted or not. */
function deletedTagList(
  db: Reader,
  { repositories, limit }: { repositories: readonly string[]; limit: number },
): Promise<TrashItem[]> {
  return db
    .selectFrom('tag_trash')
    .innerJoin('repositories', 'repositories.id', 'tag_trash.repository_id')
    .select((e) => [
      'repositories.name as repository',
      'tag_trash.name as tag',
      e.val<string | null>(null).as('with'),
    ])
    .select(['tag_trash.digest', 'tag_trash.deleted_at as deletedAt'])
    .select(['tag_trash.deleted_by as deletedBy', 'tag_trash.deleted_cause as cause'])
    .where('repositories.name', 'in', repositories)
    .orderBy('tag_trash.deleted_at', 'desc')
    .orderBy('tag_trash.id', 'desc')
    .limit(limit)
    .execute();
}

export async function tagTrashKeep(
  tx: Tx,
  tag: {
    repositoryId: number;
    name: string;
    digest: string;
    algorithm: DigestAlgorithm;
    setAt: number;
    by: string;
    cause: string | null;
  },
): Promise<void> {
  await tx.db
    .insertInto('tag_trash')
    .values({
      repository_id: tag.repositoryId,
      name: tag.name,
      digest: tag.digest,
      algorithm: tag.algorithm,
      set_at: tag.setAt,
      deleted_at: tx.nowMs,
      deleted_by: tag.by,
      deleted_cause: tag.cause,
    })
    .execute();
}

/** What the tag named when it was last deleted. */
export async function trashedTag(
  db: Reader,
  repositoryId: number,
  name: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('tag_trash')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name)
    .orderBy('deleted_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.digest;
}

export interface TrashedTag {
  readonly name: string;
  readonly algorithm: DigestAlgorithm;
  /** When it was last set; milliseconds since 1970. */
  readonly setAt: number;
}

/** The deleted tags that named the manifest. */
export async function trashedTagsOf(db: Reader, repositoryId: number, digest: string): Promise<TrashedTag[]> {
  const rows = await db
    .selectFrom('tag_trash')
    .select((e) => ['name', e.fn.max('algorithm').as('algorithm'), e.fn.max('set_at').as('setAt')])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .groupBy('name')
    .orderBy('name')
    .execute();
  return rows.map(({ name, algorithm, setAt }) => ({ name, algorithm, setAt: Number(setAt) }));
}

/** It is there again. */
export async function tagTrashTake(
  tx: Tx,
  tag: { repositoryId: number; name: string; digest: string },
): Promise<void> {
  await tx.db
    .deleteFrom('tag_trash')
    .where('repository_id', '=', tag.repositoryId)
    .where('name', '=', tag.name)
    .where('digest', '=', tag.digest)
    .execute();
}

/** The manifest that they named has left the repository for good. */
export async function tagTrashForget(tx: Tx, of: { repositoryId: number; digest: string }): Promise<void> {
  await tx.db
    .deleteFrom('tag_trash')
    .where('repository_id', '=', of.repositoryId)
    .where('digest', '=', of.digest)
    .execute();
}

/** Tags deleted at `deletedBefore` or earlier can't be brought back any more. */
export async function tagTrashExpire(
  tx: Tx,
  { deletedBefore, limit }: { deletedBefore: number; limit: number },
): Promise<number> {
  const expired = await tx.db
    .selectFrom('tag_trash')
    .select('id')
    .where('deleted_at', '<=', deletedBefore)
    .orderBy('deleted_at')
    .limit(limit)
    .execute();
  if (expired.length === 0) return 0;
  await tx.db
    .deleteFrom('tag_trash')
    .where(
      'id',
      'in',
      expired.map((row) => row.id),
    )
    .execute();
  return expired.length;
}

/** Whether there is anything to forget: read outside any transaction, since mostly there is not. */
export async function tagTrashHasExpired(db: Reader, deletedBefore: number): Promise<boolean> {
  const row = await db
    .selectFrom('tag_trash')
    .select('id')
    .where('deleted_at', '<=', deletedBefore)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
