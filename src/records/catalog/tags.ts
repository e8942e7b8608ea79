import type { Digest } from '../../oci/digest.ts';
import type { Database, Tx } from '../db/database.ts';
import { byCodeUnit, locked } from '../db/engine.ts';
import type { Repository } from './repositories.ts';

/** What a tag names, before it was changed. */
export interface TagTarget {
  readonly manifestId: number;
  readonly digest: string;
}

/** Lets the tag name the manifest. @returns what it named before */
export async function tagSet(
  tx: Tx,
  tag: { repository: Repository; name: string; manifestId: number; digest: Digest; actor: string },
): Promise<TagTarget | undefined> {
  const before = await tagLocked(tx, tag.repository.id, tag.name);
  const named = { manifest_id: tag.manifestId, updated_at: tx.nowMs, updated_by: tag.actor };
  await tx.db
    .insertInto('tags')
    .values({ repository_id: tag.repository.id, name: tag.name, ...named })
    .onConflict((c) => c.columns(['repository_id', 'name']).doUpdateSet(named))
    .execute();
  tx.emit({
    type: 'tag.set',
    lane: 'content',
    account: tag.repository.account,
    subject: `${tag.repository.name}:${tag.name}`,
    actor: tag.actor,
    data: { repository: tag.repository.name, tag: tag.name, digest: tag.digest },
  });
  return before;
}

/** @returns what it named, undefined if there was no such tag */
export async function tagRemove(
  tx: Tx,
  tag: { repository: Repository; name: string; actor: string },
): Promise<TagTarget | undefined> {
  const before = await tagLocked(tx, tag.repository.id, tag.name);
  if (!before) return undefined;
  await tx.db
    .deleteFrom('tags')
    .where('repository_id', '=', tag.repository.id)
    .where('name', '=', tag.name)
    .execute();
  tx.emit({
    type: 'tag.deleted',
    lane: 'content',
    account: tag.repository.account,
    subject: `${tag.repository.name}:${tag.name}`,
    actor: tag.actor,
    data: { repository: tag.repository.name, tag: tag.name },
  });
  return before;
}

/** All tags of a repository that name the manifest go. */
export async function tagsOfManifestRemove(
  tx: Tx,
  of: { repository: Repository; manifestId: number; actor: string },
): Promise<void> {
  const rows = await tx.db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', of.repository.id)
    .where('manifest_id', '=', of.manifestId)
    .execute();
  for (const { name } of rows) await tagRemove(tx, { repository: of.repository, name, actor: of.actor });
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

async function tagLocked(tx: Tx, repositoryId: number, name: string): Promise<TagTarget | undefined> {
  const query = tx.db
    .selectFrom('tags')
    .select('manifest_id')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name);
  const tag = await locked(tx.engine, query).executeTakeFirst();
  if (!tag) return undefined;
  const manifest = await tx.db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', tag.manifest_id)
    .executeTakeFirstOrThrow();
  return { manifestId: tag.manifest_id, digest: manifest.digest };
}
