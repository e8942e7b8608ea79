import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { GrantTable } from '../db/tables/access.ts';

/** An owner allows another account to pull and run what a repository glob names. */
export interface Grant {
  readonly uid: string;
  readonly owner: string;
  readonly grantee: string;
  readonly repositoryGlob: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt: number | null;
  /** Log position at its origin: applied elsewhere only if newer. */
  readonly version: number;
}

export type GrantTerms = Pick<Grant, 'owner' | 'grantee' | 'repositoryGlob'>;

/** Granting what is granted already changes nothing. */
export async function grantSet(tx: Tx, terms: GrantTerms, actor: string): Promise<Grant> {
  const standing = await grantStanding(tx.db, terms);
  if (standing) return standing;
  const grant: Grant = {
    ...terms,
    uid: uuidv7(tx.nowMs),
    createdAt: tx.nowMs,
    createdBy: actor,
    revokedAt: null,
    version: await tx.nextVersion(),
  };
  await grantWrite(tx, grant);
  emit(tx, 'grant.set', grant, actor);
  return grant;
}

/** @throws notFound when nothing of these terms is granted */
export async function grantRevoke(tx: Tx, terms: GrantTerms, actor: string): Promise<Grant> {
  const standing = await grantStanding(tx.db, terms);
  if (!standing)
    throw new LazaretError(
      'notFound',
      `${terms.owner} has not granted ${terms.repositoryGlob} to ${terms.grantee}`,
    );
  const grant = { ...standing, revokedAt: tx.nowMs, version: await tx.nextVersion() };
  await grantWrite(tx, grant);
  emit(tx, 'grant.revoked', grant, actor);
  return grant;
}

/** Keeps a grant that another region sent, unless what is here is as new. @returns whether it was newer */
export async function grantApply(tx: Tx, grant: Grant): Promise<boolean> {
  const known = await tx.db
    .selectFrom('grants')
    .select('version')
    .where('uid', '=', grant.uid)
    .executeTakeFirst();
  if (known && known.version >= grant.version) return false;
  await grantWrite(tx, grant);
  return true;
}

export async function grantAllows(
  db: Reader,
  asked: { readonly grantee: string; readonly owner: string; readonly repository: string },
): Promise<boolean> {
  const rows = await db
    .selectFrom('grants')
    .select('repository_glob')
    .where('grantee', '=', asked.grantee)
    .where('owner', '=', asked.owner)
    .where('revoked_at', 'is', null)
    .execute();
  return rows.some((row) => globMatcher(row.repository_glob)(asked.repository));
}

/** Those that `account` has given or been given, or all (null); also the revoked ones. */
export async function grantList(db: Reader, account: string | null): Promise<Grant[]> {
  let query = db.selectFrom('grants').selectAll();
  if (account !== null)
    query = query.where((e) => e.or([e('owner', '=', account), e('grantee', '=', account)]));
  return (await query.orderBy('id').execute()).map(grantOf);
}

async function grantStanding(db: Reader, terms: GrantTerms): Promise<Grant | undefined> {
  const row = await db
    .selectFrom('grants')
    .selectAll()
    .where('owner', '=', terms.owner)
    .where('grantee', '=', terms.grantee)
    .where('repository_glob', '=', terms.repositoryGlob)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row && grantOf(row);
}

async function grantWrite(tx: Tx, grant: Grant): Promise<void> {
  const changing = { revoked_at: grant.revokedAt, version: grant.version };
  await tx.db
    .insertInto('grants')
    .values({
      uid: grant.uid,
      owner: grant.owner,
      grantee: grant.grantee,
      repository_glob: grant.repositoryGlob,
      created_at: grant.createdAt,
      created_by: grant.createdBy,
      ...changing,
    })
    .onConflict((c) => c.column('uid').doUpdateSet(changing))
    .execute();
}

function emit(tx: Tx, type: 'grant.set' | 'grant.revoked', grant: Grant, actor: string): void {
  const subject = `${grant.repositoryGlob} to ${grant.grantee}`;
  tx.emit({ type, lane: 'quarantine', account: grant.owner, subject, actor, data: { ...grant } });
}

function grantOf(row: Selectable<GrantTable>): Grant {
  return {
    uid: row.uid,
    owner: row.owner,
    grantee: row.grantee,
    repositoryGlob: row.repository_glob,
    createdAt: row.created_at,
    createdBy: row.created_by,
    revokedAt: row.revoked_at,
    version: row.version,
  };
}

/** The uid of the grant between the two that was taken back last. */
export async function grantLastRevoked(
  db: Reader,
  { owner, grantee }: { readonly owner: string; readonly grantee: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('grants')
    .select('uid')
    .where('owner', '=', owner)
    .where('grantee', '=', grantee)
    .where('revoked_at', 'is not', null)
    .orderBy('revoked_at', 'desc')
    .executeTakeFirst();
  return row?.uid;
}
