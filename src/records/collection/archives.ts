/**
 * What is in archives is kept once for each archive, whichever layers have it, so it goes when no layer has it any more.
 * A layer that is forgotten lets go of its archives (`archivesLetGo`); the collector looks at those, one in a transaction:
 *
 *   let go, and at rest ──► a layer has it, or another archive ──► it stays
 *                      └──► nobody has it ──► its files, a part at a time; then it lets go of what is in it, and is gone
 *
 * A layer that is being read names its archives before its files: an archive that a read has met lately is not at rest, and
 * looked at again later (archive-keep.ts). A read that meets one of which a part has gone already finds it incomplete, and
 * writes all of it. Paths stay, as those of files do.
 */
import { sql } from 'kysely';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import { locked, lockedSkipping, type Reader } from '../db/engine.ts';
import { archiveRestMs } from '../inventory/archive-keep.ts';

interface LetGo {
  readonly id: number;
  readonly sha256: Uint8Array;
  readonly let_go_at: number | null;
}

/** @param pathIds only of these files; undefined: of all */
export async function archivesLetGo(
  tx: Tx,
  blobIds: readonly number[],
  pathIds?: readonly number[],
): Promise<void> {
  let files = tx.db
    .selectFrom('layer_files')
    .select('sha256')
    .where('blob_id', 'in', [...blobIds])
    .where('sha256', 'is not', null);
  if (pathIds) files = files.where('path_id', 'in', [...pathIds]);
  const query = tx.db.selectFrom('archives').select('id').where('sha256', 'in', files).orderBy('sha256');
  await letGo(tx, await locked(tx.engine, query).execute(), tx.nowMs);
}

export async function archiveIsDue(db: Reader, nowMs: number): Promise<boolean> {
  return (await due(db, nowMs).executeTakeFirst()) !== undefined;
}

/** Looks at one that was let go of. @returns false if there is none */
export async function archiveReview(tx: Tx): Promise<boolean> {
  const archive = await lockedSkipping(tx.engine, due(tx.db, tx.nowMs)).executeTakeFirst();
  if (!archive) return false;
  const isAtRest = archive.seen_at <= tx.nowMs - archiveRestMs;
  if (!isAtRest) await archiveSet(tx, archive, { let_go_at: tx.nowMs });
  else if (await isHeld(tx.db, archive)) await archiveSet(tx, archive, { let_go_at: null });
  else if (!(await filesForget(tx, archive))) await archiveForget(tx, archive);
  return true;
}

function due(db: Reader, nowMs: number) {
  return db
    .selectFrom('archives')
    .select(['id', 'sha256', 'seen_at', 'let_go_at'])
    .where('let_go_at', '<=', nowMs - archiveRestMs)
    .orderBy('let_go_at')
    .limit(1);
}

async function archiveSet(
  tx: Tx,
  { id }: LetGo,
  change: { let_go_at?: number | null; version?: number },
): Promise<void> {
  await tx.db.updateTable('archives').set(change).where('id', '=', id).execute();
}

async function isHeld(db: Reader, { id, sha256 }: LetGo): Promise<boolean> {
  const hash = Buffer.from(sha256);
  const file = await db
    .selectFrom('layer_files')
    .select('blob_id')
    .where(sql<boolean>`substr(sha256, 1, 6) = ${hash.subarray(0, 6)}`)
    .where('sha256', '=', hash)
    .limit(1)
    .executeTakeFirst();
  if (file) return true;
  const outer = await db
    .selectFrom('archive_nestings')
    .select('archive_id')
    .where('nested_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  return outer !== undefined;
}

/** @returns whether there may be more */
async function filesForget(tx: Tx, archive: LetGo): Promise<boolean> {
  await archiveSet(tx, archive, { version: 0 });
  const rows = await tx.db
    .selectFrom('archive_files')
    .select('path_id')
    .where('archive_id', '=', archive.id)
    .limit(limits.collectInventoryRows)
    .execute();
  if (rows.length === 0) return false;
  await tx.db
    .deleteFrom('archive_files')
    .where('archive_id', '=', archive.id)
    .where(
      'path_id',
      'in',
      rows.map((row) => row.path_id),
    )
    .execute();
  return rows.length === limits.collectInventoryRows;
}

async function archiveForget(tx: Tx, { id, let_go_at: letGoAt }: LetGo): Promise<void> {
  const query = tx.db
    .selectFrom('archives')
    .innerJoin('archive_nestings', 'archive_nestings.nested_id', 'archives.id')
    .select('archives.id')
    .where('archive_nestings.archive_id', '=', id)
    .orderBy('archives.sha256');
  const nested = await locked(tx.engine, query).execute();
  await tx.db.deleteFrom('archive_nestings').where('archive_id', '=', id).execute();
  await tx.db.deleteFrom('archives').where('id', '=', id).execute();
  await letGo(tx, nested, letGoAt ?? tx.nowMs);
}

async function letGo(tx: Tx, archives: readonly { readonly id: number }[], at: number): Promise<void> {
  for (let from = 0; from < archives.length; from += limits.collectInventoryRows) {
    const ids = archives.slice(from, from + limits.collectInventoryRows).map(({ id }) => id);
    await tx.db.updateTable('archives').set({ let_go_at: at }).where('id', 'in', ids).execute();
  }
}
