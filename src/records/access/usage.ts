import { sql } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';

/**
 * How many bytes an account has: those of the distinct blobs that its repositories hold.
 *
 * Whoever makes the first link of a blob in an account, or takes away the last, adds a row with the difference, so that
 * pushes and the collector never wait for each other over one counter. Now and then the rows are folded into the
 * account's own (`usageFold`). Whoever links or unlinks has the blob's row locked, so first and last are certain. A push
 * reads the sum after it has taken its place in the log: what was acknowledged before is in it, and what comes later sees
 * this one.
 */
export interface Usage {
  readonly account: string;
  /** null: as much as there is room for. */
  readonly quotaBytes: number | null;
  /** Not counted, 0, where there is no quota. */
  readonly usedBytes: number;
}

/** Before the link is written. @returns whether the account has the blob's bytes only from now on */
export async function usageLinking(tx: Tx, repositoryId: number, blobId: number): Promise<boolean> {
  return (await firstLinkCounted(tx.db, { repositoryId, blobId })).length > 0;
}

const firstLinkCounted = keptQuery(
  (_, { repositoryId, blobId }: { repositoryId: number; blobId: number }) =>
    sql`insert into account_usage (account_id, delta_bytes)
    select repositories.account_id, blobs.size_bytes from repositories, blobs
    where repositories.id = ${repositoryId} and blobs.id = ${blobId} and not exists (
      select 1 from blob_links join repositories as others on others.id = blob_links.repository_id
      where blob_links.blob_id = ${blobId} and others.account_id = repositories.account_id)
    returning delta_bytes`,
);

/** After links were taken away, while their blobs' rows are still there. */
export async function usageUnlinked(
  tx: Tx,
  links: readonly { readonly repository_id: number; readonly blob_id: number }[],
): Promise<void> {
  for (const some of chunked(links)) {
    const pairs = sql.join(
      some.map((link) => sql`(cast(${link.repository_id} as bigint), cast(${link.blob_id} as bigint))`),
    );
    await sql`insert into account_usage (account_id, delta_bytes)
      select gone.account_id, -blobs.size_bytes from (
        select distinct repositories.account_id, pairs.column2 as blob_id
        from (values ${pairs}) as pairs join repositories on repositories.id = pairs.column1) as gone
      join blobs on blobs.id = gone.blob_id
      where not exists (select 1 from blob_links join repositories on repositories.id = blob_links.repository_id
        where blob_links.blob_id = gone.blob_id and repositories.account_id = gone.account_id)`.execute(
      tx.db,
    );
  }
}

export async function usageOfRepository(db: Reader, repositoryId: number): Promise<Usage | undefined> {
  const [row] = await usagesOfRepository(db, { repositoryId });
  return row && { account: row.account, quotaBytes: quotaOf(row.quota), usedBytes: Number(row.used) };
}

const usagesOfRepository = keptQuery(
  (_, { repositoryId }: { repositoryId: number }) =>
    sql<{ account: string; quota: number | null; used: number }>`select accounts.name as account,
    accounts.quota_bytes as quota,
    case when accounts.quota_bytes is null then 0 else ${usedBytes} end as used from repositories
    join accounts on accounts.id = repositories.account_id where repositories.id = ${repositoryId}`,
);

/** Whether a repository of the same account has this blob. */
export async function accountHolds(db: Reader, repositoryId: number, digest: Digest): Promise<boolean> {
  const column = sql.ref(digestAlgorithm(digest) === 'sha512' ? 'blobs.digest_sha512' : 'blobs.digest');
  const { rows } = await sql<object>`select 1 from blobs join blob_links on blob_links.blob_id = blobs.id
    join repositories as others on others.id = blob_links.repository_id
    join repositories as asked on asked.account_id = others.account_id
    where asked.id = ${repositoryId} and ${column} = ${digest} limit 1`.execute(db);
  return rows.length > 0;
}

/** Of every account, by its id. */
export async function usageOfAccounts(db: Reader): Promise<ReadonlyMap<number, number>> {
  const { rows } = await sql<{ id: number; used: number }>`select accounts.id, ${usedBytes} as used
    from accounts`.execute(db);
  return new Map(rows.map(({ id, used }) => [Number(id), Number(used)]));
}

/** For a push, after its place in the log is taken. @throws quotaExceeded */
export async function assertWithinQuota(tx: Tx, repositoryId: number): Promise<void> {
  const usage = await usageOfRepository(tx.db, repositoryId);
  if (usage && usage.quotaBytes !== null && usage.usedBytes > usage.quotaBytes) throw quotaExceeded(usage);
}

export function quotaExceeded({ account, quotaBytes, usedBytes }: Usage): LazaretError {
  const message = `account ${account} may keep ${quotaBytes} bytes, which this would exceed`;
  return new LazaretError('quotaExceeded', message, { detail: { account, quotaBytes, usedBytes } });
}

/** Differences that wait, above which they are folded. */
const foldFrom = 500;

export async function usageFoldDue(db: Reader): Promise<boolean> {
  const rows = await db.selectFrom('account_usage').select('account_id').limit(foldFrom).execute();
  return rows.length >= foldFrom;
}

export async function usageFold(tx: Tx): Promise<void> {
  const rows = await tx.db.deleteFrom('account_usage').returning(['account_id', 'delta_bytes']).execute();
  const sums = Map.groupBy(rows, (row) => row.account_id);
  for (const [id, deltas] of [...sums].sort(([a], [b]) => a - b)) {
    const delta = deltas.reduce((sum, row) => sum + Number(row.delta_bytes), 0);
    await tx.db
      .updateTable('accounts')
      .set((e) => ({ used_bytes: e('used_bytes', '+', delta) }))
      .where('id', '=', id)
      .execute();
  }
}

/** One statement, so that no fold comes between its two parts. */
const usedBytes = sql`accounts.used_bytes + coalesce((select sum(account_usage.delta_bytes) from account_usage
  where account_usage.account_id = accounts.id), 0)`;

function quotaOf(value: number | null): number | null {
  return value === null ? null : Number(value);
}
