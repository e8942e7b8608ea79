import { sql } from 'kysely';
import { globMatcher } from '../../lib/globs.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { quarantineLocked } from './quarantines.ts';

/**
 * What a quarantine keeps: until its retention ends, and as long as a legal hold stands, the collector leaves what it
 * marks, also when nothing names it any more. An account's quarantine keeps what is in a repository of that account.
 */

/** The quarantines that keep one of these blobs, and until when (null: a legal hold). Digests are sha256. */
export async function quarantinesKeeping(
  db: Reader,
  { digests, nowMs }: { digests: readonly string[]; nowMs: number },
): Promise<{ digest: string; quarantine: string; untilMs: number | null }[]> {
  const asked = sql.join(digests.map((digest) => sql`${digest}`));
  const { rows } = await sql<Keeping>`
    select distinct marked.digest, quarantines.name, quarantines.legal_hold, quarantines.retain_until
    from (select marks.digest, marks.quarantine_id from marks
        where marks.target = 'layer' and marks.digest in (${asked})
      union select blobs.digest, marks.quarantine_id from blobs
        join inspections on inspections.blob_id = blobs.id
        join marks on marks.diff_id = inspections.diff_id and marks.target = 'layer'
        where blobs.digest in (${asked})) as marked
    join quarantines on quarantines.id = marked.quarantine_id
    where ${keeping(nowMs)} and (quarantines.scope_account is null
      or quarantines.scope_account in (select accounts.name from blob_links
        join blobs on blobs.id = blob_links.blob_id join repositories on repositories.id = blob_links.repository_id
        join accounts on accounts.id = repositories.account_id where blobs.digest = marked.digest))`.execute(
    db,
  );
  return rows.map((row) => ({
    digest: row.digest,
    quarantine: row.name,
    untilMs: Number(row.legal_hold) !== 0 ? null : Number(row.retain_until),
  }));
}

interface Keeping {
  readonly digest: string;
  readonly name: string;
  readonly legal_hold: number;
  readonly retain_until: number;
}

/** Whether a blob must stay for the repositories of `account`. */
export async function blobKeptFor(
  db: Reader,
  { digest, account, nowMs }: { digest: string; account: string; nowMs: number },
): Promise<boolean> {
  const { rows } = await sql`select quarantines.id from ${layerMarks(digest)}
    where ${keeping(nowMs)} and ${binding(account)} limit 1`.execute(db);
  return rows.length > 0;
}

/** Whether a manifest that was deleted must stay in a repository, for a mark on it or on the repository. */
export async function manifestKeptIn(
  db: Reader,
  { digest, repositoryId, nowMs }: { digest: string; repositoryId: number; nowMs: number },
): Promise<boolean> {
  const repository = await db
    .selectFrom('repositories')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.name', 'accounts.name as account'])
    .where('repositories.id', '=', repositoryId)
    .executeTakeFirst();
  if (!repository) return false;
  const { rows } = await sql<{ repository_glob: string | null }>`select marks.repository_glob
    from marks join quarantines on quarantines.id = marks.quarantine_id
    where ${keeping(nowMs)} and ${binding(repository.account)}
      and (marks.target = 'repository' or (marks.target = 'manifest' and marks.digest = ${digest}))`.execute(
    db,
  );
  return rows.some(
    (row) => row.repository_glob === null || globMatcher(row.repository_glob)(repository.name),
  );
}

/** Locks the quarantine: whether what it marks may go now. A hold or a longer retention comes before this, or after. */
export async function quarantineHasExpired(tx: Tx, name: string): Promise<boolean> {
  const quarantine = await quarantineLocked(tx, name);
  return (
    quarantine !== undefined &&
    quarantine.releasedAt === null &&
    !quarantine.legalHold &&
    quarantine.retainUntil <= tx.nowMs
  );
}

function keeping(nowMs: number) {
  return sql`quarantines.released_at is null and (quarantines.legal_hold = 1 or quarantines.retain_until > ${nowMs})`;
}

function binding(account: string) {
  return sql`(quarantines.scope_account is null or quarantines.scope_account = ${account})`;
}

function layerMarks(digest: string) {
  return sql`marks join quarantines on quarantines.id = marks.quarantine_id and marks.target = 'layer'
    and (marks.digest = ${digest} or marks.diff_id in (select inspections.diff_id from inspections
      join blobs on blobs.id = inspections.blob_id where blobs.digest = ${digest}))`;
}
