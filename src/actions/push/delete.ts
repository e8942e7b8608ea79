import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { blobsLinked, blobsLocked, blobUnlink } from '../../records/catalog/blobs.ts';
import { availableAmong, manifestsNaming } from '../../records/catalog/edges.ts';
import { manifestInRepository, repositoryManifestDelete } from '../../records/catalog/manifests.ts';
import { type Repository, repositoryForChange } from '../../records/catalog/repositories.ts';
import { tagRemove, tagsOfManifestRemove } from '../../records/catalog/tags.ts';
import type { Tx } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import type { PushDeps } from './upload.ts';

/**
 * What a client takes away. Nothing is lost at once: the collector reviews it after its grace. What is quarantined may
 * be deleted like anything else. distribution-spec, "Content Management".
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
    const before = await tagRemove(tx, { repository, name: ask.tag, actor: ask.principal });
    if (!before) throw new LazaretError('manifestUnknown', `${repository.name} has no tag ${ask.tag}`);
    await reviewAdd(tx, 'manifest', before.digest, `tag ${ask.tag} deleted`);
  });
}

/**
 * With all its tags in this repository.
 * @throws manifestUnknown, nameUnknown, readOnlyReplica; manifestReferenced with `detail.referencedBy` while an available
 *   index here names it
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
    await assertUnreferenced(tx.db, repository, { digest: manifest.digest, kinds: ['child'] });
    const taken = { repositoryId: repository.id, manifestId: manifest.id };
    if (!(await repositoryManifestDelete(tx, taken))) throw manifestUnknown(repository, ask.digest);
    await tagsOfManifestRemove(tx, { repository, manifestId: manifest.id, actor: ask.principal });
    await reviewAdd(tx, 'manifest', manifest.digest, 'deleted');
    emitDeleted(tx, repository, manifest.digest, ask.principal);
  });
}

/**
 * Leaves this repository at once.
 * @throws blobUnknown, nameUnknown, readOnlyReplica; manifestReferenced with `detail.referencedBy` while an available
 *   manifest here names it
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
    await assertUnreferenced(tx.db, repository, { digest: blob.digest, kinds: ['config', 'layer'] });
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
async function assertUnreferenced(
  db: Reader,
  repository: Repository,
  { digest, kinds }: { digest: string; kinds: readonly ('child' | 'config' | 'layer')[] },
): Promise<void> {
  const naming = await manifestsNaming(db, { repositoryId: repository.id, digest, kinds });
  const referencedBy = await availableAmong(db, repository, naming);
  if (referencedBy.length === 0) return;
  throw new LazaretError('manifestReferenced', `${digest} is named by ${referencedBy.join(', ')}`, {
    detail: { digest, referencedBy },
  });
}

function emitDeleted(tx: Tx, repository: Repository, digest: string, actor: string): void {
  tx.emit({
    type: 'manifest.deleted',
    lane: 'content',
    account: repository.account,
    subject: `${repository.name}@${digest}`,
    actor,
    data: { repository: repository.name, digest },
  });
}

function manifestUnknown(repository: Repository, digest: Digest): LazaretError {
  return new LazaretError('manifestUnknown', `${repository.name} has no manifest ${digest}`, {
    detail: { digest },
  });
}
