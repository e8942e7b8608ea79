/**
 * The images of which a layer's inspection is news: their views are made anew. What they say stands until then; a view
 * that is being made meanwhile is made once more. Where that is so many images that one transaction would be long, a job
 * remembers them, which a few at a time are taken from; one that ends in between is done again from its beginning.
 */
import { sql } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import type { Database, Tx } from '../db/database.ts';
import { locked, type Reader } from '../db/engine.ts';
import { type Job, jobClaim, jobEnqueueAnew, jobFinish, jobRelease } from '../jobs/jobs.ts';

const kind = 'views';

/** So many take less than `limits.transactionMs`. */
const imagesAtOnce = 500;

/** In the transaction that makes it news. */
export async function viewsWant(tx: Tx, layerDigest: string, atOnce = imagesAtOnce): Promise<void> {
  const { rows } = await imagesOf(layerDigest, atOnce + 1).execute(tx.db);
  if (rows.length > atOnce) await jobEnqueueAnew(tx, { kind, key: layerDigest, payload: {} });
  else await viewsWantOf(tx, rows.map(idOf).sort(byNumber));
}

/** One such job. @returns whether there was any */
export async function viewsWantOfMany(
  deps: { readonly database: Database; readonly clock: Clock },
  worker: string,
  signal: Pick<AbortSignal, 'aborted'>,
  atOnce = imagesAtOnce,
): Promise<boolean> {
  const { database } = deps;
  const job = await jobClaim(deps, { kind }, worker);
  if (!job) return false;
  const ids = (await database.search(imagesOf(job.key).compile(database.read))).map(idOf).sort(byNumber);
  for (let at = 0; at < ids.length && !signal.aborted; at += atOnce)
    await database.transact((tx) => viewsWantOf(tx, ids.slice(at, at + atOnce)));
  await database.transact((tx) => ended(tx, job, signal));
  return true;
}

function ended(tx: Tx, job: Job, { aborted }: Pick<AbortSignal, 'aborted'>): Promise<void> {
  return aborted ? jobRelease(tx, job) : jobFinish(tx, job);
}

interface ImageRow {
  readonly manifest_id: number;
}

function imagesOf(layerDigest: string, limit?: number) {
  const few = limit === undefined ? sql`` : sql`limit ${limit}`;
  return sql<ImageRow>`select distinct manifest_id from edges
    where digest = ${layerDigest} and kind = 'layer' ${few}`;
}

function idOf(row: ImageRow): number {
  return Number(row.manifest_id);
}

function byNumber(a: number, b: number): number {
  return a - b;
}

/** Locked in one order everywhere, so that two layers of the same images can't wait for each other. */
async function viewsWantOf(tx: Tx, manifestIds: readonly number[]): Promise<void> {
  if (manifestIds.length === 0) return;
  await lockedIn(tx.db, tx.engine, manifestIds);
  await tx.db
    .updateTable('images')
    .set((e) => ({ wanted: e('wanted', '+', 1) }))
    .where('state', '!=', 'notApplicable')
    .where('manifest_id', 'in', manifestIds)
    .execute();
}

async function lockedIn(db: Reader, engine: Tx['engine'], manifestIds: readonly number[]): Promise<void> {
  if (engine === 'sqlite') return;
  const rows = db.selectFrom('images').select('manifest_id').where('manifest_id', 'in', manifestIds);
  await locked(engine, rows.orderBy('manifest_id')).execute();
}
