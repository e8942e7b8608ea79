import type { Selectable } from 'kysely';
import type { Tx } from '../db/database.ts';
import { chunked, locked, type Reader } from '../db/engine.ts';
import type { MarkTable, QuarantineTable } from '../db/tables/quarantine.ts';
import type { Evidence } from '../scans/evidence.ts';

/**
 * One decision to quarantine, with its marks, whole. It travels between regions as this object: its origin and version
 * (the log position at its origin) decide which of two is newer. Times are milliseconds since 1970.
 */
export interface Quarantine {
  readonly uid: string;
  readonly name: string;
  readonly origin: string;
  readonly version: number;
  /** null: set by the operator, for all repositories. */
  readonly scopeAccount: string | null;
  readonly reach: 'layer' | 'image';
  /** Of reach `image`: what becomes of an image whose inspection ended without an answer. */
  readonly unknown: 'allow' | 'refuse';
  /** What it came from: a scan (`S-31`), a person. */
  readonly cause: string;
  readonly criteria: unknown;
  readonly reason: string;
  readonly ticket: string | null;
  readonly author: string;
  readonly createdAt: number;
  /** When this version was made. */
  readonly changedAt: number;
  readonly retainUntil: number;
  /** Outranks the end of retention and `destroy`. */
  readonly legalHold: boolean;
  /** Why it was set, or why it was lifted. */
  readonly legalHoldReason: string | null;
  readonly destroyRequestedAt: number | null;
  readonly releasedAt: number | null;
  readonly releasedBy: string | null;
  readonly releaseReason: string | null;
  readonly marks: readonly Mark[];
}

export interface Mark {
  readonly target: 'layer' | 'manifest' | 'repository';
  readonly digest: string | null;
  /** Of a layer whose inspection has ended: every compression of it is meant. */
  readonly diffId: string | null;
  readonly repositoryGlob: string | null;
  readonly evidence: readonly Evidence[];
}

/** Keeps the object if it is newer than what is here. Marks never change after the first version. */
export async function quarantineApply(tx: Tx, quarantine: Quarantine): Promise<boolean> {
  const here = await tx.db
    .selectFrom('quarantines')
    .select(['id', 'version'])
    .where('uid', '=', quarantine.uid)
    .executeTakeFirst();
  if (here && here.version >= quarantine.version) return false;
  const row = rowOf(quarantine);
  if (here) {
    await tx.db.updateTable('quarantines').set(row).where('id', '=', here.id).execute();
    return true;
  }
  const { id } = await tx.db.insertInto('quarantines').values(row).returning('id').executeTakeFirstOrThrow();
  const marks = quarantine.marks.map((mark) => ({
    quarantine_id: id,
    target: mark.target,
    digest: mark.digest,
    diff_id: mark.diffId,
    repository_glob: mark.repositoryGlob,
    evidence: JSON.stringify(mark.evidence),
  }));
  for (const rows of chunked(marks)) await tx.db.insertInto('marks').values(rows).execute();
  return true;
}

export async function quarantineGet(db: Reader, nameOrUid: string): Promise<Quarantine | undefined> {
  const row = await db
    .selectFrom('quarantines')
    .selectAll()
    .where((e) => e.or([e('name', '=', nameOrUid), e('uid', '=', nameOrUid)]))
    .executeTakeFirst();
  return row ? quarantineOf(row, await marksOf(db, row.id)) : undefined;
}

/** Locks the row until the transaction ends, so that changes of it follow each other. */
export async function quarantineLocked(tx: Tx, nameOrUid: string): Promise<Quarantine | undefined> {
  const named = tx.db
    .selectFrom('quarantines')
    .select('id')
    .where((e) => e.or([e('name', '=', nameOrUid), e('uid', '=', nameOrUid)]));
  await locked(tx.engine, named).execute();
  return quarantineGet(tx.db, nameOrUid);
}

export interface QuarantineFilter {
  /** Of this account and of the operator; undefined: all. */
  readonly account?: string;
  readonly activeOnly?: boolean;
  readonly limit: number;
}

/** Newest first. */
export async function quarantineList(db: Reader, filter: QuarantineFilter): Promise<Quarantine[]> {
  let query = db.selectFrom('quarantines').selectAll().orderBy('created_at', 'desc').limit(filter.limit);
  if (filter.activeOnly) query = query.where('released_at', 'is', null);
  const { account } = filter;
  if (account !== undefined)
    query = query.where((e) => e.or([e('scope_account', '=', account), e('scope_account', 'is', null)]));
  const rows = await query.execute();
  return Promise.all(rows.map(async (row) => quarantineOf(row, await marksOf(db, row.id))));
}

export interface Acknowledgement {
  readonly region: string;
  readonly version: number;
  readonly acknowledgedAt: number;
}

export async function acknowledgementList(db: Reader, quarantineUid: string): Promise<Acknowledgement[]> {
  const rows = await db
    .selectFrom('acknowledgements')
    .selectAll()
    .where('quarantine_uid', '=', quarantineUid)
    .orderBy('region')
    .execute();
  return rows.map((row) => ({
    region: row.region,
    version: row.version,
    acknowledgedAt: row.acknowledged_at,
  }));
}

export async function acknowledgementKeep(
  tx: Tx,
  acknowledgement: { quarantineUid: string; region: string; version: number; at: number },
): Promise<void> {
  const values = { version: acknowledgement.version, acknowledged_at: acknowledgement.at };
  await tx.db
    .insertInto('acknowledgements')
    .values({ quarantine_uid: acknowledgement.quarantineUid, region: acknowledgement.region, ...values })
    .onConflict((c) =>
      c
        .columns(['quarantine_uid', 'region'])
        .doUpdateSet(values)
        .where('acknowledgements.version', '<', acknowledgement.version),
    )
    .execute();
}

async function marksOf(db: Reader, quarantineId: number) {
  return db.selectFrom('marks').selectAll().where('quarantine_id', '=', quarantineId).orderBy('id').execute();
}

function rowOf(quarantine: Quarantine) {
  return {
    uid: quarantine.uid,
    name: quarantine.name,
    origin: quarantine.origin,
    version: quarantine.version,
    scope_account: quarantine.scopeAccount,
    reach: quarantine.reach,
    unknown: quarantine.unknown,
    cause: quarantine.cause,
    criteria: quarantine.criteria === null ? null : JSON.stringify(quarantine.criteria),
    reason: quarantine.reason,
    ticket: quarantine.ticket,
    author: quarantine.author,
    created_at: quarantine.createdAt,
    changed_at: quarantine.changedAt,
    retain_until: quarantine.retainUntil,
    legal_hold: quarantine.legalHold ? 1 : 0,
    legal_hold_reason: quarantine.legalHoldReason,
    destroy_requested_at: quarantine.destroyRequestedAt,
    released_at: quarantine.releasedAt,
    released_by: quarantine.releasedBy,
    release_reason: quarantine.releaseReason,
  };
}

function quarantineOf(row: Selectable<QuarantineTable>, marks: Selectable<MarkTable>[]): Quarantine {
  return {
    uid: row.uid,
    name: row.name,
    origin: row.origin,
    version: row.version,
    scopeAccount: row.scope_account,
    reach: row.reach,
    unknown: row.unknown,
    cause: row.cause,
    criteria: row.criteria === null ? null : JSON.parse(row.criteria),
    reason: row.reason,
    ticket: row.ticket,
    author: row.author,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    retainUntil: row.retain_until,
    legalHold: row.legal_hold !== 0,
    legalHoldReason: row.legal_hold_reason,
    destroyRequestedAt: row.destroy_requested_at,
    releasedAt: row.released_at,
    releasedBy: row.released_by,
    releaseReason: row.release_reason,
    marks: marks.map((mark) => ({
      target: mark.target,
      digest: mark.digest,
      diffId: mark.diff_id,
      repositoryGlob: mark.repository_glob,
      evidence: JSON.parse(mark.evidence),
    })),
  };
}
