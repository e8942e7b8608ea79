import { type RawBuilder, sql } from 'kysely';
import { globMatcher } from '../../lib/globs.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { type Quarantine, quarantineLocked } from './quarantines.ts';

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

/** Whether what a repository has of a blob must stay: for a mark on it, on an image or index that needs it, or on the repository. */
export async function blobKeptIn(
  db: Reader,
  { digest, repository, nowMs }: { digest: string; repository: NamedRepository; nowMs: number },
): Promise<boolean> {
  const { rows } = await sql`select quarantines.id from ${layerMarks(digest)}
    where ${keeping(nowMs)} and ${binding(repository.account)} limit 1`.execute(db);
  if (rows.length > 0) return true;
  const needing = sql`with recursive needing (id, digest) as (
      select manifests.id, manifests.digest from manifests join edges on edges.manifest_id = manifests.id
        where edges.digest = ${digest} and edges.kind in ('config', 'layer')
      union select manifests.id, manifests.digest from needing
        join edges on edges.digest = needing.digest and edges.kind = 'child'
        join manifests on manifests.id = edges.manifest_id)
    select needing.digest from needing join repository_manifests on repository_manifests.manifest_id = needing.id
    where repository_manifests.repository_id = ${repository.id} and repository_manifests.withdrawn_at is null`;
  return keptByMark(db, { repository, nowMs, manifests: needing });
}

/** Whether a manifest that was deleted must stay in a repository, for a mark on it or on the repository. */
export async function manifestKeptIn(
  db: Reader,
  { digest, repositoryId, nowMs }: { digest: string; repositoryId: number; nowMs: number },
): Promise<boolean> {
  const repository = await db
    .selectFrom('repositories')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.id', 'repositories.name', 'accounts.name as account'])
    .where('repositories.id', '=', repositoryId)
    .executeTakeFirst();
  return repository !== undefined && keptByMark(db, { repository, nowMs, manifests: sql`${digest}` });
}

interface NamedRepository {
  readonly id: number;
  readonly name: string;
  readonly account: string;
}

/** @param of.manifests their digests */
async function keptByMark(
  db: Reader,
  of: { repository: NamedRepository; nowMs: number; manifests: RawBuilder<unknown> },
): Promise<boolean> {
  const { repository, nowMs, manifests } = of;
  const { rows } = await sql<{ repository_glob: string | null }>`select marks.repository_glob
    from marks join quarantines on quarantines.id = marks.quarantine_id
    where ${keeping(nowMs)} and ${binding(repository.account)}
      and (marks.target = 'repository' or (marks.target = 'manifest' and marks.digest in (${manifests})))`.execute(
    db,
  );
  return rows.some(
    (row) => row.repository_glob === null || globMatcher(row.repository_glob)(repository.name),
  );
}

/** Locks the quarantine. @returns it, if what it marks may go now; a hold or a longer retention comes before this, or after */
export async function quarantineExpired(tx: Tx, name: string): Promise<Quarantine | undefined> {
  const quarantine = await quarantineLocked(tx, name);
  if (!quarantine || quarantine.releasedAt !== null || quarantine.legalHold) return undefined;
  return quarantine.retainUntil <= tx.nowMs ? quarantine : undefined;
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
