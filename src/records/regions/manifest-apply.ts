import type { ManifestAttachment } from '../../contract/replication.ts';
import { LazaretError } from '../../lib/errors.ts';
import { digestOf, parseDigest } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { accountEnsure } from '../access/accounts.ts';
import { blobLink, blobsLocked } from '../catalog/blobs.ts';
import { manifestKeep } from '../catalog/manifests.ts';
import { type Repository, repositoryFind, repositoryGet } from '../catalog/repositories.ts';
import { imageWant } from '../catalog/wanted-inspections.ts';
import type { Tx } from '../db/database.ts';
import { inspectionFollow } from './inspection-apply.ts';

/**
 * A manifest that its repository's home has accepted: all its rows, also where the bytes of its blobs are not here. Such
 * blobs are `remote`, linked to the repository, and become live when their bytes were copied and verified. One that is
 * not whole at home any more is withdrawn from the start: its tags stay, and what is needed is not all known.
 */
export interface FollowedManifest {
  /** The region that says so; nothing happens unless it is the repository's home. */
  readonly origin: string;
  readonly repository: string;
  readonly digest: string;
  readonly pushedAt: number;
  readonly pushedBy: string;
  readonly attachment: ManifestAttachment;
}

/** @returns the repository, or undefined if its home is another region. @throws digestInvalid, nameInvalid */
export async function manifestApply(tx: Tx, followed: FollowedManifest): Promise<Repository | undefined> {
  const repository = await repositoryFollowed(tx, followed.repository, followed.origin);
  if (!repository) return undefined;
  // The blobs first: who locks both kinds of rows does so in this order.
  await blobRows(tx, repository.id, followed);
  const manifestId = await manifestRow(tx, followed);
  if (followed.attachment.kind === 'image') {
    const reason = `its inventory is kept in region ${followed.origin}`;
    await imageWant(tx, manifestId, { state: 'unknown', reason });
  }
  const fresh = {
    pushed_at: followed.pushedAt,
    pushed_by: followed.pushedBy,
    deleted_at: null,
    withdrawn_at: followed.attachment.whole ? null : tx.nowMs,
  };
  await tx.db
    .insertInto('repository_manifests')
    .values({ repository_id: repository.id, manifest_id: manifestId, last_pulled_at: null, ...fresh })
    .onConflict((c) => c.columns(['repository_id', 'manifest_id']).doUpdateSet(fresh))
    .execute();
  return repository;
}

/** The replica of a repository whose home is `origin`, made if need be. */
async function repositoryFollowed(tx: Tx, text: string, origin: string): Promise<Repository | undefined> {
  const { name, account } = parseRepositoryName(text);
  const known = await repositoryFind(tx.db, name);
  if (known) return known.homeRegion === origin ? known : undefined;
  const accountId = await accountEnsure(tx, account, `region/${origin}`);
  await tx.db
    .insertInto('repositories')
    .values({ name, account_id: accountId, home_region: origin, created_at: tx.nowMs })
    .onConflict((c) => c.column('name').doNothing())
    .execute();
  return repositoryGet(tx.db, name);
}

/** @throws digestInvalid */
function manifestRow(tx: Tx, { digest: text, attachment }: FollowedManifest): Promise<number> {
  const body = Buffer.from(attachment.body, 'base64');
  const digest = parseDigest(text);
  if (digestOf(body) !== digest)
    throw new LazaretError('digestInvalid', `what came as ${digest} is ${digestOf(body)}`);
  return manifestKeep(tx, {
    digest,
    sha512: attachment.digestSha512 === null ? undefined : parseDigest(attachment.digestSha512),
    kind: attachment.kind,
    mediaType: attachment.mediaType,
    artifactType: attachment.artifactType ?? undefined,
    platform: attachment.platform ?? undefined,
    body,
    annotations: attachment.annotations,
    edges: attachment.edges.map(({ diffId, ...edge }) => ({ ...edge, diffId: diffId ?? undefined })),
  });
}

async function blobRows(
  tx: Tx,
  repositoryId: number,
  { origin, attachment }: FollowedManifest,
): Promise<void> {
  const blobs = [...attachment.blobs].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  for (const blob of blobs)
    await tx.db
      .insertInto('blobs')
      .values({
        digest: blob.digest,
        digest_sha512: blob.digestSha512,
        size_bytes: blob.sizeBytes,
        storage_key: null,
        state: 'remote',
        stored_at: tx.nowMs,
      })
      .onConflict((c) => c.column('digest').doNothing())
      .execute();
  const rows = await blobsLocked(
    tx,
    blobs.map((blob) => parseDigest(blob.digest)),
  );
  for (const blob of blobs) {
    const row = rows.get(blob.digest);
    if (!row) continue;
    // Its old bytes wait in condemned_keys to be swept; they are fetched anew.
    if (row.state === 'condemned')
      await tx.db
        .updateTable('blobs')
        .set({ state: 'remote', storage_key: null })
        .where('id', '=', row.id)
        .execute();
    await blobLink(tx, repositoryId, row.id);
    if (blob.inspection)
      await inspectionFollow(tx, { blobId: row.id, origin, diffId: blob.inspection.diffId });
  }
}
