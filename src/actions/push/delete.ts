import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { blobsLinked, blobsLocked, blobUnlink } from '../../records/catalog/blobs.ts';
import { availableAmong, manifestsNaming, type NamingManifest } from '../../records/catalog/edges.ts';
import { assertTagsMutable } from '../../records/catalog/immutability.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import { type Repository, repositoryForChange } from '../../records/catalog/repositories.ts';
import { tagsOfManifest } from '../../records/catalog/tags.ts';
import { manifestTake, tagTake } from '../../records/catalog/take.ts';
import type { Reader } from '../../records/db/engine.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import type { PushDeps } from './upload.ts';

/**
 * What a client takes away. Nothing is lost at once: it is in the trash until the collector reviews it after its grace.
 * What is quarantined may be deleted like anything else. distribution-spec, "Content Management".
 */
interface Deletion {
  readonly repository: RepositoryName;
  readonly principal: string;
}

/** The manifest stays. @throws manifestUnknown if there is no such tag, nameUnknown, readOnlyReplica */
export async function tagDelete(
  deps: Pick<PushDeps, 'database'>,
  ask: Deletion & { tag: string },
): Promise<void> {
  await deps.database.transact(async (tx) => {
    const repository = await repositoryForChange(tx, ask.repository.name);
    const taking = { repository, actor: ask.principal, cause: null };
    if (!(await tagTake(tx, taking, { name: ask.tag })))
      throw new LazaretError('manifestUnknown', `${repository.name} has no tag ${ask.tag}`);
    await assertTagsMutable(tx.db, repository, { tags: [ask.tag], what: 'deleted' });
  });
}

/**
 * With all its tags in this repository, and what refers to it and has no tag.
 * @throws manifestUnknown, nameUnknown, readOnlyReplica; manifestReferenced with `detail.referencedBy` while an available
 *   index here names it and serves it
 */
export async function manifestDelete(
  deps: Pick<PushDeps, 'database'>,
  ask: Deletion & { digest: Digest },
): Promise<void> {
  await deps.database.transact(async (tx) => {
    const repository = await repositoryForChange(tx, ask.repository.name);
    const reference = { digest: ask.digest };
    const manifest = await manifestInRepository(tx.db, { repository: repository.name, reference });
    if (!manifest || manifest.deletedAt !== null) throw manifestUnknown(repository, ask.digest);
    const scope = { repository: repository.name, account: repository.account };
    const reached = await refusalOfManifest(tx.db, scope, manifest.id);
    if (!reached) await assertNotServedByAnIndex(tx.db, repository, manifest);
    const tags = await tagsOfManifest(tx.db, { repositoryId: repository.id, manifestId: manifest.id });
    await assertTagsMutable(tx.db, repository, { tags, what: 'deleted' });
    const taking = { repository, actor: ask.principal, cause: null };
    if (!(await manifestTake(tx, taking, manifest))) throw manifestUnknown(repository, ask.digest);
  });
}

/**
 * Leaves this repository at once. What is named by a quarantined manifest stays: a release gives back whole images.
 * @throws blobUnknown, nameUnknown, readOnlyReplica; manifestReferenced with `detail.referencedBy` while a manifest in
 *   service here names it
 */
export async function blobDelete(
  deps: Pick<PushDeps, 'database'>,
  ask: Deletion & { digest: Digest },
): Promise<void> {
  await deps.database.transact(async (tx) => {
    const repository = await repositoryForChange(tx, ask.repository.name);
    const blob = (await blobsLocked(tx, [ask.digest])).get(ask.digest);
    const linked = blob && (await blobsLinked(tx.db, repository.id, [blob.id])).has(blob.id);
    if (!blob || !linked)
      throw new LazaretError('blobUnknown', `${repository.name} has no blob ${ask.digest}`, {
        detail: { digest: ask.digest },
      });
    const needed = { repositoryId: repository.id, digest: blob.digest, kinds: ['config', 'layer'] as const };
    const naming = await manifestsNaming(tx.db, needed);
    assertUnreferenced(
      blob.digest,
      naming.map((manifest) => manifest.digest),
    );
    await blobUnlink(tx, repository.id, blob.id);
    await reviewAdd(tx, 'blob', blob.digest, 'deleted');
    tx.emit({
      type: 'blob.unlinked',
      lane: 'local',
      account: repository.account,
      subject: `${repository.name}@${blob.digest}`,
      actor: ask.principal,
      data: { repository: repository.name, digest: blob.digest },
    });
  });
}

/** @throws manifestReferenced */
async function assertNotServedByAnIndex(
  db: Reader,
  repository: Repository,
  { digest }: NamingManifest,
): Promise<void> {
  const naming = await manifestsNaming(db, { repositoryId: repository.id, digest, kinds: ['child'] });
  assertUnreferenced(digest, await availableAmong(db, repository, naming));
}

/** @throws manifestReferenced */
function assertUnreferenced(digest: string, referencedBy: readonly string[]): void {
  if (referencedBy.length === 0) return;
  throw new LazaretError('manifestReferenced', `${digest} is named by ${referencedBy.join(', ')}`, {
    detail: { digest, referencedBy },
  });
}

function manifestUnknown(repository: Repository, digest: Digest): LazaretError {
  return new LazaretError('manifestUnknown', `${repository.name} has no manifest ${digest}`, {
    detail: { digest },
  });
}
