import type { ExpressionBuilder, Selectable } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database, Tx } from '../db/database.ts';
import { locked, type Reader } from '../db/engine.ts';
import type { JobTable } from '../db/tables/log.ts';
import type { Tables } from '../db/tables.ts';

/**
 * Work that must happen after a commit and survive a crash. A job is enqueued in the transaction that makes it
 * necessary, one per kind and key; a worker claims it with a lease, and either finishes it (the row goes), or fails it
 * (it is tried again after a back-off, and is `dead` after `limits.jobAttemptsMax`), or dies (the lease ends and another
 * claims it). A job may therefore run twice, and must be idempotent.
 */
export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly priority: number;
}

const backoffFirstMs = 1_000;
const backoffMaxMs = 5 * 60_000;

/**
 * If a job of this kind and key is queued already, that one stands with all that it remembers, and is as urgent as the more
 * urgent of the two; a dead one lives again. At the latest it is due after the longest back-off.
 */
export async function jobEnqueue(
  tx: Tx,
  job: { kind: string; key: string; payload: unknown; priority?: number; delayMs?: number },
): Promise<void> {
  const fresh = {
    state: 'queued' as const,
    run_at: tx.nowMs + Math.min(job.delayMs ?? 0, backoffMaxMs),
    attempts: 0,
    lease_until: null,
    leased_by: null,
    error: null,
  };
  const payload = JSON.stringify(job.payload);
  const priority = job.priority ?? 0;
  await tx.db
    .insertInto('jobs')
    .values({
      kind: job.kind,
      key: job.key,
      payload,
      priority,
      created_at: tx.nowMs,
      ...fresh,
    })
    .onConflict((c) =>
      c
        .columns(['kind', 'key'])
        .doUpdateSet((e) => ({
          ...fresh,
          payload: e.case().when('jobs.state', '=', 'dead').then(payload).else(e.ref('jobs.payload')).end(),
          priority,
        }))
        .where((e) =>
          e.or([
            e('jobs.state', '=', 'dead'),
            e.and([e('jobs.state', '=', 'queued'), e('jobs.priority', '<', priority)]),
          ]),
        ),
    )
    .execute();
  tx.wake();
}

/** As `jobEnqueue`, but one that is there goes, whoever works on it: what it has done has to be done again. */
export async function jobEnqueueAnew(tx: Tx, job: Parameters<typeof jobEnqueue>[1]): Promise<void> {
  await tx.db.deleteFrom('jobs').where('kind', '=', job.kind).where('key', '=', job.key).execute();
  await jobEnqueue(tx, job);
}

export interface WantedJob {
  readonly kind: string;
  /** None that is less urgent. */
  readonly priorityMin?: number;
}

/** A claim that is lost leaves a job that nobody has claimed. */
const claiming = { mayBeLost: true };

/**
 * Claims the most urgent job of `kind` that is due, or whose worker's lease has ended. Most often there is none, which a
 * read tells without a transaction.
 */
export async function jobClaim(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  wanted: WantedJob,
  worker: string,
): Promise<Job | undefined> {
  if (!(await jobIsDue({ database, clock }, wanted))) return undefined;
  return database.transact(async (tx) => {
    let query = jobsDue(tx.db, wanted, tx.nowMs);
    if (tx.engine === 'postgres') query = query.forUpdate().skipLocked();
    const row = await query.executeTakeFirst();
    if (!row) return undefined;
    await tx.db
      .updateTable('jobs')
      .set({
        state: 'running',
        attempts: row.attempts + 1,
        lease_until: tx.nowMs + limits.jobLeaseMs,
        leased_by: worker,
      })
      .where('id', '=', row.id)
      .execute();
    return jobOf({ ...row, attempts: row.attempts + 1 });
  }, claiming);
}

/** Whether there is one to claim now. */
export async function jobIsDue(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  wanted: WantedJob,
): Promise<boolean> {
  return (await jobsDue(database.read, wanted, clock.wallMs()).executeTakeFirst()) !== undefined;
}

/** The most urgent one. */
function jobsDue(db: Reader, { kind, priorityMin }: WantedJob, nowMs: number) {
  const query = db
    .selectFrom('jobs')
    .selectAll()
    .where('kind', '=', kind)
    .where((e) => e.or([e.and([e('state', '=', 'queued'), isDue(e, nowMs)]), leaseHasEnded(e, nowMs)]))
    .orderBy('priority', 'desc')
    .orderBy('run_at')
    .limit(1);
  return priorityMin === undefined ? query : query.where('priority', '>=', priorityMin);
}

/**
 * Claims the one job of `kind` and `key`, also before it is due: someone is waiting for it.
 * @returns undefined if there is none, or another worker has it
 */
export function jobClaimKey(
  database: Database,
  job: { kind: string; key: string },
  worker: string,
): Promise<Job | undefined> {
  return database.transact(async (tx) => {
    const row = await tx.db
      .updateTable('jobs')
      .set((e) => ({
        state: 'running' as const,
        attempts: e('attempts', '+', 1),
        lease_until: tx.nowMs + limits.jobLeaseMs,
        leased_by: worker,
      }))
      .where('kind', '=', job.kind)
      .where('key', '=', job.key)
      .where((e) => e.or([e('state', '!=', 'running'), leaseHasEnded(e, tx.nowMs)]))
      .returningAll()
      .executeTakeFirst();
    return row && jobOf(row);
  });
}

/**
 * What the job's row says now, locked until the transaction ends: another worker that believes it holds the job may have
 * changed it. @returns undefined if the job is finished
 */
export async function jobPayload(tx: Tx, job: Job): Promise<{ readonly payload: unknown } | undefined> {
  const query = tx.db.selectFrom('jobs').select('payload').where('id', '=', job.id);
  const row = await locked(tx.engine, query).executeTakeFirst();
  return row && { payload: JSON.parse(row.payload) };
}

/** Keeps what the next attempt goes on from. */
export async function jobRemember(tx: Tx, job: Job, payload: unknown): Promise<void> {
  await tx.db
    .updateTable('jobs')
    .set({ payload: JSON.stringify(payload) })
    .where('id', '=', job.id)
    .execute();
}

/** What failed, or waits for another try, is tried anew at once: the cause is known to be gone. */
export async function jobsRevive(tx: Tx, kind: string): Promise<void> {
  await tx.db
    .updateTable('jobs')
    .set({ state: 'queued', attempts: 0, run_at: tx.nowMs, error: null })
    .where('kind', '=', kind)
    .where((e) => e.or([e('state', '=', 'dead'), e.and([e('state', '=', 'queued'), e('attempts', '>', 0)])]))
    .execute();
  tx.wake();
}

export async function jobExtend(tx: Tx, job: Job): Promise<void> {
  await tx.db
    .updateTable('jobs')
    .set({ lease_until: tx.nowMs + limits.jobLeaseMs })
    .where('id', '=', job.id)
    .execute();
}

/** In the transaction that keeps the job's result. */
export async function jobFinish(tx: Tx, job: Job): Promise<void> {
  await tx.db.deleteFrom('jobs').where('id', '=', job.id).execute();
}

export async function jobFail(tx: Tx, job: Job, error: string): Promise<'again' | 'dead'> {
  const dead = job.attempts >= limits.jobAttemptsMax;
  const delayMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** (job.attempts - 1));
  await tx.db
    .updateTable('jobs')
    .set({
      state: dead ? 'dead' : 'queued',
      run_at: tx.nowMs + delayMs,
      lease_until: null,
      leased_by: null,
      error,
    })
    .where('id', '=', job.id)
    .execute();
  return dead ? 'dead' : 'again';
}

/** Gives a job back that was not worked on to its end through no fault of its own: due at once, and no try is counted. */
export async function jobRelease(tx: Tx, job: Job): Promise<void> {
  await tx.db
    .updateTable('jobs')
    .set({
      state: 'queued',
      run_at: tx.nowMs,
      attempts: job.attempts - 1,
      lease_until: null,
      leased_by: null,
    })
    .where('id', '=', job.id)
    .execute();
}

export async function jobCounts(
  db: Reader,
): Promise<{ kind: string; state: JobTable['state']; count: number }[]> {
  const rows = await db
    .selectFrom('jobs')
    .select((e) => ['kind', 'state', e.fn.countAll<number>().as('count')])
    .groupBy(['kind', 'state'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** A time further ahead than any that is written was written before the clock was set back: nobody waits for it. */
function isDue(e: ExpressionBuilder<Tables, 'jobs'>, nowMs: number) {
  return e.or([e('run_at', '<=', nowMs), e('run_at', '>', nowMs + backoffMaxMs)]);
}

/** The same holds for the end of a lease. */
function leaseHasEnded(e: ExpressionBuilder<Tables, 'jobs'>, nowMs: number) {
  const ended = e.or([e('lease_until', '<', nowMs), e('lease_until', '>', nowMs + limits.jobLeaseMs)]);
  return e.and([e('state', '=', 'running'), ended]);
}

function jobOf(row: Selectable<JobTable>): Job {
  return {
    id: row.id,
    kind: row.kind,
    key: row.key,
    payload: JSON.parse(row.payload),
    attempts: row.attempts,
    priority: row.priority,
  };
}
