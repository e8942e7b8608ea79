/**
 * Ends what its owner asked to end, as soon as it is so. It follows the log with a cursor: each event that can make event
 * criteria true (an advisory, an inspection, a mark, a revoked grant, a deployment that starts) names, by index, the few
 * running deployments that it may concern; those are asked. Criteria about time are asked once per period.
 *
 * States: the cursor stands behind the events that are dealt with. A crash between an answer and the cursor's step asks
 * again, which changes nothing (see revokeIfMet). A deployment that can't be asked now (a broken row, a database that is
 * away) becomes a job and is tried again with a back-off, so that it neither holds up the others nor is forgotten.
 *
 * Only the primary region decides. The others learn of it through `deployment.ended`.
 */
import { causeChain } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { deploymentsAsking } from '../../records/fleet/affected.ts';
import { type Job, jobClaim, jobEnqueue, jobFail, jobFinish } from '../../records/jobs/jobs.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { cursorGet, cursorSet, logRead } from '../../records/log/log.ts';
import { regionPrimary } from '../../records/regions/regions.ts';
import { candidatesOf } from './candidates.ts';
import { revokeIfMet } from './revoke-deployment.ts';
import type { RevokeDeps } from './revoke-deps.ts';

const follower = 'revoke';
const periodMs = 1_000;
const retryFirstMs = 1_000;

export function revokeTask(deps: RevokeDeps): Task {
  let timeAskedAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: follower,
    periodMs,
    run: async (signal) => {
      if (!(await isPrimary(deps))) return 'idle';
      let worked = await followLog(deps);
      if (!signal.aborted && deps.clock.bootMs() - timeAskedAtMs >= periodMs) {
        timeAskedAtMs = deps.clock.bootMs();
        const asking = await deploymentsAsking(deps.database.read, ['until', 'after']);
        await askAll(deps, new Map(asking.map((deployment) => [deployment.uid, null])));
      }
      if (!signal.aborted) worked = (await retryOne(deps)) || worked;
      return worked ? 'worked' : 'idle';
    },
  };
}

async function isPrimary({ database, region }: RevokeDeps): Promise<boolean> {
  return ((await regionPrimary(database.read)) ?? region) === region;
}

async function followLog(deps: RevokeDeps): Promise<boolean> {
  const { database } = deps;
  const after = await cursorGet(database.read, follower);
  const events = await logRead(database.read, { after, limit: limits.revokeBatchEvents });
  const last = events.at(-1);
  if (!last) return false;
  const causes = new Map<string, string | null>();
  for (const event of events)
    for (const uid of await concerned(deps, event)) if (!causes.has(uid)) causes.set(uid, event.id);
  await askAll(deps, causes);
  // Without it the events are asked about again, which changes nothing.
  await database.transact((tx) => cursorSet(tx, follower, last.position), { mayBeLost: true });
  return true;
}

async function concerned({ database }: RevokeDeps, event: LogEvent): Promise<readonly string[]> {
  const { uid } = event.data;
  if (event.type === 'deployment.set') return typeof uid === 'string' ? [uid] : [];
  return candidatesOf(database.read, event);
}

/** @param causes the event that made it worth asking, by deployment */
async function askAll(deps: RevokeDeps, causes: ReadonlyMap<string, string | null>): Promise<void> {
  for (const [uid, cause] of causes) {
    try {
      await revokeIfMet(deps, uid, cause);
    } catch (error) {
      const payload = { cause, error: causeChain(error) };
      const job = { kind: follower, key: uid, payload, delayMs: retryFirstMs };
      await deps.database.transact((tx) => jobEnqueue(tx, job));
    }
  }
}

async function retryOne(deps: RevokeDeps): Promise<boolean> {
  const job = await jobClaim(deps, { kind: follower }, follower);
  if (!job) return false;
  try {
    await revokeIfMet(deps, job.key, causeOf(job));
    await deps.database.transact((tx) => jobFinish(tx, job));
  } catch (error) {
    await deps.database.transact((tx) => jobFail(tx, job, causeChain(error)));
  }
  return true;
}

function causeOf(job: Job): string | null {
  const { payload } = job;
  if (typeof payload !== 'object' || payload === null || !('cause' in payload)) return null;
  return typeof payload.cause === 'string' ? payload.cause : null;
}
