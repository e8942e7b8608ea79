import type { Digest, DigestAlgorithm } from '../../oci/digest.ts';
import type { Database, Tx } from '../db/database.ts';
import { byCodeUnit, locked, type Reader } from '../db/engine.ts';
import type { Repository } from './repositories.ts';
import { tagTrashKeep } from './trash.ts';

/** What a tag names, before it was changed. */
export interface TagTarget {
  readonly manifestId: number;
  readonly digest: string;
  /** Of the digest that it was pushed with. */
  readonly algorithm: DigestAlgorithm;
  /** Milliseconds since 1970. */
  readonly setAt: number;
}

/** Lets the tag name the manifest. @returns what it named before */
export async function tagSet(
  tx: Tx,
  tag: {
    repository: Repository;
    name: string;
    manifestId: number;
    digest: Digest;
    algorithm: DigestAlgorithm;
    actor: string;
  },
): Promise<TagTarget | undefined> {
  const before = await tagLocked(tx, tag.repository.id, tag.name);
  const named = {
    manifest_id: tag.manifestId,
    algorithm: tag.algorithm,
    updated_at: tx.nowMs,
    updated_by: tag.actor,
    restored_at: null,
  };
  await tx.db
    .insertInto('tags')
    .values({ repository_id: tag.repository.id, name: tag.name, ...named })
    .onConflict((c) => c.columns(['repository_id', 'name']).doUpdateSet(named))
    .execute();
  if (before && before.manifestId !== tag.manifestId)
    await untaggedNote(tx, tag.repository.id, [before.manifestId]);
  emitSet(tx, tag);
  return before;
}

/**
 * Brings a deleted tag back unless it names something by now. It is as old as it was: retention counts no newer tag out
 * for it.
 * @returns whether it was free
 */
export async function tagRestore(
  tx: Tx,
  tag: {
    repository: Repository;
    name: string;
    manifestId: number;
    digest: string;
    algorithm: DigestAlgorithm;
    setAt: number;
    actor: string;
  },
): Promise<boolean> {
  const named = {
    manifest_id: tag.manifestId,
    algorithm: tag.algorithm,
    updated_at: tag.setAt,
    updated_by: tag.actor,
    restored_at: tx.nowMs,
  };
  const inserted = await tx.db
    .insertInto('tags')
    .values({ repository_id: tag.repository.id, name: tag.name, ...named })
    .onConflict((c) => c.columns(['repository_id', 'name']).doNothing())
    .returning('name')
    .executeTakeFirst();
  if (inserted) emitSet(tx, tag);
  return inserted !== undefined;
}

/**
 * Into the trash, from which it can be brought back.
 * @param tag.manifestId if given: only while it names that manifest
 * @returns what it named, undefined if there was no such tag
 */
export async function tagRemove(
  tx: Tx,
  tag: {
    repository: Repository;
    name: string;
    manifestId?: number;
    actor: string;
    cause: string | null;
  },
): Promise<TagTarget | undefined> {
  const before = await tagLocked(tx, tag.repository.id, tag.name);
  if (!before || (tag.manifestId !== undefined && before.manifestId !== tag.manifestId)) return undefined;
  await tx.db
    .deleteFrom('tags')
    .where('repository_id', '=', tag.repository.id)
    .where('name', '=', tag.name)
    .execute();
  await tagTrashKeep(tx, {
    repositoryId: tag.repository.id,
    name: tag.name,
    digest: before.digest,
    algorithm: before.algorithm,
    setAt: before.setAt,
    by: tag.actor,
    cause: tag.cause,
  });
  await untaggedNote(tx, tag.repository.id, [before.manifestId]);
  tx.emit({
    type: 'tag.deleted',
    lane: 'content',
    account: tag.repository.account,
    subject: `${tag.repository.name}:${tag.name}`,
    actor: tag.actor,
    data: {
      repository: tag.repository.name,
      tag: tag.name,
      ...(tag.cause === null ? {} : { rule: tag.cause }),
    },
  });
  return before;
}

/** All tags of a repository that name the manifest go. */
export async function tagsOfManifestRemove(
  tx: Tx,
  of: { repository: Repository; manifestId: number; actor: string; cause: string | null },
): Promise<void> {
  const named = { repositoryId: of.repository.id, manifestId: of.manifestId };
  for (const name of await tagsOfManifest(tx.db, named)) await tagRemove(tx, { ...of, name });
}

export async function tagsOfManifest(
  db: Reader,
  of: { readonly repositoryId: number; readonly manifestId: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', of.repositoryId)
    .where('manifest_id', '=', of.manifestId)
    .execute();
  return rows.map((row) => row.name);
}

/** From now on counts how long nothing has named these manifests. */
export async function untaggedNote(
  tx: Tx,
  repositoryId: number,
  manifestIds: readonly number[],
): Promise<void> {
  if (manifestIds.length === 0) return;
  await tx.db
    .updateTable('repository_manifests')
    .set({ untagged_at: tx.nowMs })
    .where('repository_id', '=', repositoryId)
    .where('manifest_id', 'in', [...manifestIds])
    .execute();
}

/** Names after `after`, sorted by code unit; also those whose manifest is quarantined. */
export async function tagNames(
  { engine, read }: Pick<Database, 'engine' | 'read'>,
  { repositoryId, after, limit }: { repositoryId: number; after: string; limit: number },
): Promise<string[]> {
  const name = byCodeUnit(engine, 'name');
  const rows = await read
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where(name, '>', after)
    .orderBy(name)
    .limit(limit)
    .execute();
  return rows.map((row) => row.name);
}

function emitSet(
  tx: Tx,
  tag: { repository: Repository; name: string; digest: string; algorithm: DigestAlgorithm; actor: string },
): void {
  tx.emit({
    type: 'tag.set',
    lane: 'content',
    account: tag.repository.account,
    subject: `${tag.repository.name}:${tag.name}`,
    actor: tag.actor,
    data: {
      repository: tag.repository.name,
      tag: tag.name,
      digest: tag.digest,
      ...(tag.algorithm === 'sha256' ? {} : { algorithm: tag.algorithm }),
    },
  });
}

async function tagLocked(tx: Tx, repositoryId: number, name: string): Promise<TagTarget | undefined> {
  const query = tx.db
    .selectFrom('tags')
    .select(['manifest_id', 'updated_at', 'algorithm'])
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name);
  const tag = await locked(tx.engine, query).executeTakeFirst();
  if (!tag) return undefined;
  const manifest = await tx.db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', tag.manifest_id)
    .executeTakeFirstOrThrow();
  const { manifest_id: manifestId, updated_at: setAt, algorithm } = tag;
  return { manifestId, digest: manifest.digest, algorithm, setAt };
}
