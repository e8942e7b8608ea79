import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import { manifestsHeld } from '../holds/manifests-held.ts';
import { reviewAdd } from '../holds/review.ts';
import { refusalOfManifest } from '../marks/door.ts';
import type { NamingManifest } from './edges.ts';
import { manifestsLocked, repositoryManifestDelete } from './manifests.ts';
import type { Repository } from './repositories.ts';
import { type TagTarget, tagRemove, tagsOfManifestRemove, untaggedNote } from './tags.ts';

/**
 * Taking references away, for a client's DELETE and for a retention rule alike. Nothing is lost at once: what goes is in
 * the trash until the collector has reviewed it after its grace.
 *
 * A manifest takes along what refers to it in this repository (signatures, SBOMs) and is nothing else: what has a tag,
 * is a child of an index here, is held or is quarantined stays. They remember with what they went.
 */
export interface Taking {
  readonly repository: Repository;
  readonly actor: string;
  /** The retention rule; null: a person asked. */
  readonly cause: string | null;
}

/** The manifest stays. @returns what the tag named; undefined if there was no such tag, or it names another manifest */
export async function tagTake(
  tx: Tx,
  taking: Taking,
  tag: { readonly name: string; readonly manifestId?: number },
): Promise<TagTarget | undefined> {
  const before = await tagRemove(tx, { ...taking, ...tag });
  if (before) await reviewAdd(tx, 'manifest', before.digest, `tag ${tag.name} deleted`);
  return before;
}

/** With all its tags in this repository, and its referrers. @returns false if it was deleted already */
export async function manifestTake(tx: Tx, taking: Taking, manifest: NamingManifest): Promise<boolean> {
  await manifestsLocked(tx, [manifest.id]);
  await tagsOfManifestRemove(tx, { ...taking, manifestId: manifest.id });
  if (!(await manifestGo(tx, taking, { manifest, withId: null }))) return false;
  await referrersGo(tx, taking, manifest);
  return true;
}

async function manifestGo(
  tx: Tx,
  { repository, actor, cause }: Taking,
  { manifest, withId }: { manifest: NamingManifest; withId: number | null },
): Promise<boolean> {
  const row = { repositoryId: repository.id, manifestId: manifest.id, actor, cause, withId };
  if (!(await repositoryManifestDelete(tx, row))) return false;
  await untaggedNote(tx, repository.id, await childIds(tx, repository.id, manifest.id));
  await reviewAdd(tx, 'manifest', manifest.digest, 'deleted');
  tx.emit({
    type: 'manifest.deleted',
    lane: 'content',
    account: repository.account,
    subject: `${repository.name}@${manifest.digest}`,
    actor,
    data: {
      repository: repository.name,
      digest: manifest.digest,
      ...(cause === null ? {} : { rule: cause }),
    },
  });
  return true;
}

async function referrersGo(tx: Tx, taking: Taking, subject: NamingManifest): Promise<void> {
  let level = [subject];
  for (let taken = 0; level.length > 0 && taken < limits.referrersTakenMax; ) {
    const referrers = await referrersFree(tx, taking, level);
    level = [];
    for (const manifest of referrers)
      if (await manifestGo(tx, taking, { manifest, withId: subject.id })) level.push(manifest);
    taken += level.length;
  }
}

/** Some of what refers to `subject` and is nothing else, by itself: it does not come back with the subject. */
export async function referrersTake(
  tx: Tx,
  taking: Taking,
  { subject, isMeant }: { subject: string; isMeant: (referrer: NamingManifest) => boolean },
): Promise<void> {
  const manifest = await tx.db
    .selectFrom('manifests')
    .select(['id', 'digest'])
    .where('digest', '=', subject)
    .executeTakeFirst();
  if (!manifest) return;
  for (const referrer of await referrersFree(tx, taking, [manifest]))
    if (isMeant(referrer)) await manifestTake(tx, taking, referrer);
}

/** Locked. What is held or quarantined is not free to go. */
async function referrersFree(
  tx: Tx,
  { repository }: Taking,
  subjects: readonly NamingManifest[],
): Promise<NamingManifest[]> {
  const before = await referrersOfAll(tx, repository.id, subjects);
  await manifestsLocked(
    tx,
    before.map((referrer) => referrer.id),
  );
  // Once more under the lock: a push may just have given one a tag.
  const referrers = await referrersOfAll(tx, repository.id, subjects);
  const held = await manifestsHeld(tx.db, { repositoryId: repository.id, nowMs: tx.nowMs });
  const scope = { repository: repository.name, account: repository.account };
  const free: NamingManifest[] = [];
  for (const referrer of referrers)
    if (!held.has(referrer.digest) && !(await refusalOfManifest(tx.db, scope, referrer.id)))
      free.push(referrer);
  return free;
}

/** In service in the repository, without a tag, and no child of an index in service. */
async function referrersOfAll(
  tx: Tx,
  repositoryId: number,
  subjects: readonly NamingManifest[],
): Promise<NamingManifest[]> {
  return tx.db
    .selectFrom('edges')
    .innerJoin('manifests as subjects', (join) =>
      join.on((e) =>
        e.or([
          e('edges.digest', '=', e.ref('subjects.digest')),
          e('edges.digest', '=', e.ref('subjects.digest_sha512')),
        ]),
      ),
    )
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select(['manifests.id', 'manifests.digest'])
    .distinct()
    .where(
      'subjects.id',
      'in',
      subjects.map((subject) => subject.id),
    )
    .where('edges.kind', '=', 'subject')
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('tags')
            .select('tags.name')
            .where('tags.repository_id', '=', repositoryId)
            .whereRef('tags.manifest_id', '=', 'manifests.id'),
        ),
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('edges as naming')
            .innerJoin('repository_manifests as indexes', 'indexes.manifest_id', 'naming.manifest_id')
            .select('naming.manifest_id')
            .where('naming.kind', '=', 'child')
            .whereRef('naming.digest', '=', 'manifests.digest')
            .where('indexes.repository_id', '=', repositoryId)
            .where('indexes.deleted_at', 'is', null),
        ),
      ),
    )
    .orderBy('manifests.id')
    .limit(limits.referrersTakenMax)
    .execute();
}

async function childIds(tx: Tx, repositoryId: number, manifestId: number): Promise<number[]> {
  const rows = await tx.db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.digest', 'edges.digest')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select('manifests.id')
    .distinct()
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'child')
    .where('repository_manifests.repository_id', '=', repositoryId)
    .execute();
  return rows.map((row) => row.id);
}
