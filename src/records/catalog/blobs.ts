import type { Selectable } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { usageLinking, usageUnlinked } from '../access/usage.ts';
import type { Tx } from '../db/database.ts';
import { locked, type Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import type { BlobTable } from '../db/tables/catalog.ts';

/**
 * Blobs and the repositories that hold them. A row is found by its sha256 or, once known, its sha512; marks, links and
 * edges use the row's sha256. Whoever relies on a row's state in a transaction locks it, so that accepting a reference
 * and condemning exclude each other; rows are always locked in the order of their ids.
 */
export type Blob = Selectable<BlobTable>;

/** @param digest either of the row's two */
export function blobFind(db: Reader, digest: Digest): Promise<Blob | undefined> {
  return db.selectFrom('blobs').selectAll().where(digestColumn(digest), '=', digest).executeTakeFirst();
}

/** Whatever its state, if the repository has a link to it. */
export async function blobInRepository(
  db: Reader,
  asked: { repository: string; digest: Digest },
): Promise<(Blob & { repository_id: number; account: string }) | undefined> {
  const [blob] = await blobsInRepository[digestColumn(asked.digest)](db, asked);
  return blob;
}

const blobsInRepository = {
  digest: blobsInRepositoryBy('digest'),
  digest_sha512: blobsInRepositoryBy('digest_sha512'),
};

function blobsInRepositoryBy(column: 'digest' | 'digest_sha512') {
  return keptQuery((db, { repository, digest }: { repository: string; digest: string }) =>
    db
      .selectFrom('blobs')
      .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
      .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
      .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
      .selectAll('blobs')
      .select(['repositories.id as repository_id', 'accounts.name as account'])
      .where(column, '=', digest)
      .where('repositories.name', '=', repository),
  );
}

/** Repositories that hold the live blob: `near` itself, then those of its account, then the others. */
export async function blobHolders(
  db: Reader,
  { digest, near }: { readonly digest: Digest; readonly near: RepositoryName },
): Promise<RepositoryName[]> {
  return db
    .selectFrom('blobs')
    .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
    .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.name', 'accounts.name as account'])
    .where(digestColumn(digest), '=', digest)
    .where('blobs.state', '=', 'live')
    .orderBy((e) => e.case().when('repositories.name', '=', near.name).then(0).else(1).end())
    .orderBy((e) => e.case().when('accounts.name', '=', near.account).then(0).else(1).end())
    .orderBy('repositories.id')
    .limit(limits.mountSourcesMax)
    .execute();
}

/** Locks the rows that there are, until the transaction ends; by each digest that was asked with. */
export async function blobsLocked(tx: Tx, digests: readonly Digest[]): Promise<ReadonlyMap<string, Blob>> {
  const asked = [...new Set(digests)];
  const sha256 = asked.filter((digest) => digestAlgorithm(digest) === 'sha256');
  const sha512 = asked.filter((digest) => digestAlgorithm(digest) === 'sha512');
  if (asked.length === 0) return new Map();
  const query = tx.db
    .selectFrom('blobs')
    .selectAll()
    .where((e) =>
      e.or([
        ...(sha256.length > 0 ? [e('digest', 'in', sha256)] : []),
        ...(sha512.length > 0 ? [e('digest_sha512', 'in', sha512)] : []),
      ]),
    )
    .orderBy('id');
  const rows = await locked(tx.engine, query).execute();
  const byDigest = new Map(rows.map((row) => [row.digest, row]));
  for (const row of rows) if (row.digest_sha512 !== null) byDigest.set(row.digest_sha512, row);
  return byDigest;
}

/** What a completed upload has brought. */
export interface StoredBlob {
  readonly sha256: Digest;
  readonly sha512: Digest | undefined;
  readonly sizeBytes: number;
  readonly storageKey: string;
}

/**
 * Makes the row of these bytes live, and locks it. `fresh`: the row is new. `revived`: it was condemned or remote, and
 * has the new key; an old key stays in condemned_keys. `known`: it was live, and the new key went to condemned_keys, to
 * be swept.
 */
export async function blobKeep(
  tx: Tx,
  stored: StoredBlob,
): Promise<{ blob: Blob; outcome: 'fresh' | 'revived' | 'known' }> {
  const { sha256, sha512, sizeBytes, storageKey } = stored;
  const placed = { storage_key: storageKey, state: 'live' as const, stored_at: tx.nowMs };
  const { row, fresh } = await rowLocked(tx, {
    digest: sha256,
    digest_sha512: sha512 ?? null,
    size_bytes: sizeBytes,
    ...placed,
  });
  if (fresh) return { blob: row, outcome: 'fresh' };
  const names = { digest_sha512: row.digest_sha512 ?? sha512 ?? null };
  const revive = row.state !== 'live';
  const change = revive ? { ...names, ...placed } : names;
  await tx.db.updateTable('blobs').set(change).where('id', '=', row.id).execute();
  if (!revive) await condemnedKeyAdd(tx, { storageKey, blobId: row.id, sizeBytes });
  return { blob: { ...row, ...change }, outcome: revive ? 'revived' : 'known' };
}

/**
 * The row of that digest, inserted unless it is there. A sweep may take one away that was seen, before it is locked; then
 * it is inserted after all.
 */
async function rowLocked(tx: Tx, values: NewBlob): Promise<{ row: Blob; fresh: boolean }> {
  for (;;) {
    const [inserted] = await blobInserted(tx.db, values);
    if (inserted) return { row: inserted, fresh: true };
    // Another transaction that inserted it has committed, else the insert would still wait.
    const query = tx.db.selectFrom('blobs').selectAll().where('digest', '=', values.digest);
    const row = await locked(tx.engine, query).executeTakeFirst();
    if (row) return { row, fresh: false };
  }
}

type NewBlob = Omit<Blob, 'id'>;

const blobInserted = keptQuery((db, blob: NewBlob) =>
  db
    .insertInto('blobs')
    .values({
      digest: blob.digest,
      digest_sha512: blob.digest_sha512,
      size_bytes: blob.size_bytes,
      storage_key: blob.storage_key,
      state: blob.state,
      stored_at: blob.stored_at,
    })
    .onConflict((c) => c.column('digest').doNothing())
    .returningAll(),
);

/**
 * Lets go of bytes, which the collector then sweeps; of bytes that came to a key which waits already, anew, since the
 * sweep of that key may be under way.
 * @param blobId 0 for bytes that never became a blob
 */
export async function condemnedKeyAdd(
  tx: Tx,
  key: { storageKey: string; blobId: number; sizeBytes: number },
): Promise<void> {
  await tx.db
    .insertInto('condemned_keys')
    .values({
      storage_key: key.storageKey,
      blob_id: key.blobId,
      size_bytes: key.sizeBytes,
      condemned_at: tx.nowMs,
    })
    .onConflict((c) =>
      c
        .column('storage_key')
        .doUpdateSet((e) => ({ condemned_at: e('condemned_keys.condemned_at', '+', 1) })),
    )
    .execute();
  tx.wake();
}

/** Whether a blob's bytes are under this key. */
export async function blobKeyInUse(tx: Tx, storageKey: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('blobs')
    .select('id')
    .where('storage_key', '=', storageKey)
    .executeTakeFirst();
  return row !== undefined;
}

/** Its row is locked. @returns whether the repository's account has the blob's bytes only from now on */
export async function blobLink(tx: Tx, repositoryId: number, blobId: number): Promise<boolean> {
  const fresh = await usageLinking(tx, repositoryId, blobId);
  await blobLinked(tx.db, { repositoryId, blobId, linkedAt: tx.nowMs });
  return fresh;
}

const blobLinked = keptQuery((db, link: { repositoryId: number; blobId: number; linkedAt: number }) =>
  db
    .insertInto('blob_links')
    .values({ repository_id: link.repositoryId, blob_id: link.blobId, linked_at: link.linkedAt })
    .onConflict((c) => c.columns(['repository_id', 'blob_id']).doNothing()),
);

/** Its row is locked. */
export async function blobUnlink(tx: Tx, repositoryId: number, blobId: number): Promise<void> {
  const links = await tx.db
    .deleteFrom('blob_links')
    .where('repository_id', '=', repositoryId)
    .where('blob_id', '=', blobId)
    .returning(['repository_id', 'blob_id'])
    .execute();
  await usageUnlinked(tx, links);
}

/** Which of these blobs the repository holds. */
export async function blobsLinked(
  db: Reader,
  repositoryId: number,
  blobIds: readonly number[],
): Promise<ReadonlySet<number>> {
  if (blobIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('blob_links')
    .select('blob_id')
    .where('repository_id', '=', repositoryId)
    .where('blob_id', 'in', [...blobIds])
    .execute();
  return new Set(rows.map((row) => row.blob_id));
}

/** Of `blobs` and of `manifests`: where a digest of this algorithm is kept. */
export function digestColumn(digest: Digest): 'digest' | 'digest_sha512' {
  return digestAlgorithm(digest) === 'sha512' ? 'digest_sha512' : 'digest';
}
