/**
 * Layers whose inventory an older list of extractors made. Their answers stand until they have been read again, which is
 * a job of low priority, a few of them at a time, so that the layers of a push always come first.
 */
import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { jobEnqueue } from '../jobs/jobs.ts';
import type { InventoryVersion } from './inventory-versions.ts';

export const rereadPriority = -10;

const answered = ['done', 'unknown'] as const;

/**
 * Queues stale layers that no job is for, until `queuedMax` are due; not before half of those have been read. Those that
 * wait for something else (the engine that looks for malware is away) hold up no others.
 * @returns how many
 */
export async function staleLayersEnqueue(
  database: Database,
  { behind }: InventoryVersion,
  { queuedMax, nowMs }: { readonly queuedMax: number; readonly nowMs: number },
): Promise<number> {
  if (behind.length === 0 || !(await anyStale(database.read, behind))) return 0;
  const queued = await rereadsDue(database.read, { nowMs, countMax: queuedMax });
  if (queued > queuedMax / 2) return 0;
  // Of several manifests that name the layer, any may say what it is: only those read as file systems are stale.
  const rows = await database.search(
    sql<{ digest: string; media_type: string | null }>`select blobs.digest,
        (select min(edges.media_type) from edges
          where edges.digest = blobs.digest and edges.kind = 'layer') as media_type
      from inspections
      join blobs on blobs.id = inspections.blob_id and blobs.state = 'live' and blobs.storage_key is not null
      left join jobs on jobs.kind = 'inspect' and jobs.key = blobs.digest
      where inspections.version in (${sql.join([...behind])})
        and inspections.state in (${sql.join([...answered])}) and jobs.id is null
      limit ${queuedMax - queued}`.compile(database.read),
  );
  if (rows.length > 0)
    await database.transact(async (tx) => {
      for (const { digest, media_type: mediaType } of rows) {
        const payload = { digest, ...(mediaType === null ? {} : { mediaType }) };
        await jobEnqueue(tx, { kind: 'inspect', key: digest, payload, priority: rereadPriority });
      }
    });
  return rows.length;
}

async function anyStale(db: Reader, behind: readonly number[]): Promise<boolean> {
  const row = await db
    .selectFrom('inspections')
    .select('blob_id')
    .where('version', 'in', behind)
    .where('state', 'in', answered)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

async function rereadsDue(
  db: Reader,
  { nowMs, countMax }: { readonly nowMs: number; readonly countMax: number },
): Promise<number> {
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', 'inspect')
    .where('state', '=', 'queued')
    .where('priority', '=', rereadPriority)
    .where('run_at', '<=', nowMs)
    .limit(countMax)
    .execute();
  return rows.length;
}

export interface InspectionProgress {
  /** Layers with an answer, read with this version or one as good. */
  readonly done: number;
  /** Layers with an answer of an older version. */
  readonly stale: number;
  /** Layers without an answer yet. */
  readonly pending: number;
  /** Stale layers that could not be read again; their old answers stand. */
  readonly failed: number;
  /** Layers read since `fromMs`. */
  readonly recent: number;
}

export async function inspectionProgress(
  database: Database,
  { behind }: InventoryVersion,
  fromMs: number,
): Promise<InspectionProgress> {
  const counts = await database.search(
    sql<{ version: number; state: string; count: number; recent: number }>`select version, state,
        count(*) as count, sum(case when inspected_at >= ${fromMs} then 1 else 0 end) as recent
      from inspections group by version, state`.compile(database.read),
  );
  const rows = counts.map((row) => ({
    state: row.state,
    version: Number(row.version),
    count: Number(row.count),
    recent: Number(row.recent),
  }));
  // Those of version 0 with an answer have it from another region.
  const own = rows.filter(({ state, version }) => version > 0 && answered.some((each) => each === state));
  const old = new Set(behind);
  return {
    done: sum(own.filter(({ version }) => !old.has(version))),
    stale: sum(own.filter(({ version }) => old.has(version))),
    pending: sum(rows.filter(({ state }) => state === 'pending')),
    failed: await rereadsDead(database.read),
    recent: own.reduce((total, { recent }) => total + recent, 0),
  };
}

function sum(rows: readonly { readonly count: number }[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

async function rereadsDead(db: Reader): Promise<number> {
  const row = await db
    .selectFrom('jobs')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('kind', '=', 'inspect')
    .where('state', '=', 'dead')
    .where('priority', '=', rereadPriority)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
