import { LazaretError } from '../../lib/errors.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { manifestBringBack } from '../../records/catalog/bring-back.ts';
import {
  manifestInRepository,
  manifestsLocked,
  type RepositoryManifest,
  type TagOrDigest,
} from '../../records/catalog/manifests.ts';
import { type Repository, repositoryForChange } from '../../records/catalog/repositories.ts';
import { tagRestore } from '../../records/catalog/tags.ts';
import { type TrashedTag, tagTrashTake, trashedTag, trashedTagsOf } from '../../records/catalog/trash.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { assertOpen, refusalOfManifest } from '../../records/marks/door.ts';

/**
 * Out of the trash. Against the collector: both lock the manifest's row. Either the collector sees that the manifest is
 * in service again and leaves it, or it was removed and there is nothing to bring back. Against a push of the tag: the
 * tag is set only if it is free. Against a quarantine: the door is asked last, as a push asks it.
 */
export interface Restored {
  readonly repository: string;
  readonly digest: string;
  /** What is in service again, with children and referrers; none if only a tag was gone. */
  readonly manifests: readonly string[];
  readonly tags: readonly string[];
  /** Tags that name something else by now. */
  readonly tagsTaken: readonly string[];
}

/**
 * By tag: that tag, and its manifest if that is gone too. By digest: the manifest with all its deleted tags that are free.
 * @throws notFound if it is not, or not any more, in the trash; conflict if the tag names something else by now;
 *   quarantined, nameUnknown, readOnlyReplica
 */
export async function trashRestore(
  { database }: { readonly database: Database },
  ask: { repository: string; reference: TagOrDigest; actor: string },
): Promise<Restored> {
  return database.transact(async (tx) => {
    const repository = await repositoryForChange(tx, ask.repository);
    const manifest = await trashedManifest(tx, repository, ask.reference);
    const back = await manifestBringBack(tx, { repository, from: manifest, actor: ask.actor });
    const only = 'tag' in ask.reference ? ask.reference.tag : undefined;
    const trashed = await trashedTagsOf(tx.db, repository.id, manifest.digest);
    const names = trashed.filter(({ name }) => only === undefined || name === only);
    const { tags, tagsTaken } = await restoreTags(tx, repository, { manifest, names, actor: ask.actor });
    if (only !== undefined && tagsTaken.length > 0) throw tagTaken(repository, only);
    if (back.length === 0 && tags.length === 0) throw notInTrash(repository, ask.reference);
    // From here to the commit no other transaction is acknowledged, so no mark can come in between.
    await tx.nextVersion();
    const scope = { repository: repository.name, account: repository.account };
    assertOpen(await refusalOfManifest(tx.db, scope, manifest.id));
    const manifests = back.map((each) => each.digest);
    return { repository: repository.name, digest: manifest.digest, manifests, tags, tagsTaken };
  });
}

/** Its row locked. @throws notFound */
async function trashedManifest(
  tx: Tx,
  repository: Repository,
  reference: TagOrDigest,
): Promise<RepositoryManifest> {
  const find = (digest: Digest) =>
    manifestInRepository(tx.db, { repository: repository.name, reference: { digest } });
  const named = 'tag' in reference ? await trashedTag(tx.db, repository.id, reference.tag) : reference.digest;
  if (named === undefined) throw notInTrash(repository, reference);
  const digest = parseDigest(named);
  const seen = await find(digest);
  if (!seen) throw notInTrash(repository, reference);
  await manifestsLocked(tx, [seen.id]);
  const manifest = await find(digest);
  if (!manifest) throw notInTrash(repository, reference);
  if (manifest.withdrawnAt === null) return manifest;
  throw new LazaretError(
    'notFound',
    `${nameOf(repository, reference)} can't be brought back: its layers were collected at the end of a quarantine; push it again`,
  );
}

async function restoreTags(
  tx: Tx,
  repository: Repository,
  { manifest, names, actor }: { manifest: RepositoryManifest; names: readonly TrashedTag[]; actor: string },
): Promise<Pick<Restored, 'tags' | 'tagsTaken'>> {
  const tags: string[] = [];
  const tagsTaken: string[] = [];
  for (const { name, algorithm, setAt } of names) {
    const { id: manifestId, digest } = manifest;
    const tag = { repository, name, manifestId, digest, algorithm, setAt, actor };
    if (await tagRestore(tx, tag)) {
      await tagTrashTake(tx, { repositoryId: repository.id, name, digest: manifest.digest });
      tags.push(name);
    } else tagsTaken.push(name);
  }
  return { tags, tagsTaken };
}

function tagTaken(repository: Repository, tag: string): LazaretError {
  return new LazaretError(
    'conflict',
    `${repository.name}:${tag} names an image again; bring the deleted one back by its digest`,
    { detail: { repository: repository.name, tag } },
  );
}

function notInTrash(repository: Repository, reference: TagOrDigest): LazaretError {
  return new LazaretError(
    'notFound',
    `${nameOf(repository, reference)} is not in the trash: it was not deleted, or the collector has taken it already`,
  );
}

function nameOf({ name }: Repository, reference: TagOrDigest): string {
  return 'tag' in reference ? `${name}:${reference.tag}` : `${name}@${reference.digest}`;
}
