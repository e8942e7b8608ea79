/**
 * Reads OpenVEX documents that were pushed as referrers of an image. What they say of that image becomes *proposed*
 * exceptions of the repository's account: whoever may push may propose, only role security decides. The push itself waits
 * for none of this: it leaves a job.
 *
 * A referrer that is deleted takes along what nobody has accepted; one that comes back proposes it again. What a person
 * refused stays refused, however often the referrer is pushed. Only the primary region has exceptions; in the others the
 * job ends without any.
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { causeChain, type ErrorCode, hasCode, LazaretError } from '../../lib/errors.ts';
import { parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import type { Task } from '../../lib/task.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { type Exception, exceptionsAdd, exceptionsDecide } from '../../records/exceptions/exceptions.ts';
import {
  exceptionsOfReferrer,
  type VexReferrer,
  type VexReferrerName,
  vexJob,
  vexReferrer,
  vexReferrersGone,
} from '../../records/exceptions/referrers.ts';
import { type Job, jobClaim, jobFail, jobFinish } from '../../records/jobs/jobs.ts';
import { regionPrimary } from '../../records/regions/regions.ts';
import { parseVexDocument } from '../../vex/openvex.ts';
import type { VexTarget } from '../../vex/products.ts';
import { exceptionsSaid, type Said, type SaidAs, saying } from './said.ts';

export interface ProposeDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly region: string;
}

/** No principal's: those have no colon. */
const actor = 'lazaret:vex';
const goneAtOnce = 100;
/** Another try would find the same. */
const neverBetter: readonly ErrorCode[] = ['invalid', 'tooLarge', 'conflict'];

export function proposeExceptionsTask(deps: ProposeDeps): Task {
  return {
    name: 'exceptions-propose',
    periodMs: 30_000,
    calmMs: limits.taskCalmMs,
    givesWayMs: limits.inspectGivesWayMs,
    run: async (signal) => {
      const gone = await withdrawGone(deps);
      const job = signal.aborted ? undefined : await jobClaim(deps, { kind: vexJob }, vexJob);
      if (job) await propose(deps, job);
      return gone || job ? 'worked' : 'idle';
    },
  };
}

/** @returns whether there were any */
async function withdrawGone({ database }: ProposeDeps): Promise<boolean> {
  const gone = await vexReferrersGone(database, goneAtOnce);
  for (const name of gone)
    await database.transact(async (tx) => {
      if (await vexReferrer(tx.db, name)) return; // it came back meanwhile
      const proposed = (await exceptionsOfReferrer(tx.db, name)).filter(({ state }) => state === 'proposed');
      if (proposed.length === 0) return;
      const because = `${name.digest} was deleted`;
      await exceptionsDecide(tx, proposed, { state: 'withdrawn', actor, because });
    });
  return gone.length > 0;
}

/** What can't be read is told in the log; what can't be read now is tried again. */
async function propose(deps: ProposeDeps, job: Job): Promise<void> {
  const at = job.key.lastIndexOf('@');
  const name = { repository: job.key.slice(0, at), digest: job.key.slice(at + 1) };
  const { database, region } = deps;
  try {
    const primary = (await regionPrimary(database.read)) ?? region;
    const referrer = primary === region ? await vexReferrer(database.read, name) : undefined;
    const said = referrer ? await readSaid(deps, referrer) : undefined;
    await database.transact(async (tx) => {
      if (referrer && said) await keepProposed(tx, referrer, said);
      await jobFinish(tx, job);
    });
  } catch (error) {
    const isFinal = neverBetter.some((code) => hasCode(error, code));
    const reason = causeChain(error);
    await database.transact(async (tx) => {
      if (isFinal) await jobFinish(tx, job);
      else if ((await jobFail(tx, job, reason)) === 'again') return;
      emit(tx, 'vex.unreadable', { ...name, data: { reason } });
    });
  }
}

/** @throws invalid, tooLarge, unavailable */
async function readSaid({ blobs }: ProposeDeps, referrer: VexReferrer): Promise<Said> {
  const said: Said[] = [];
  for (const { digest, storageKey } of referrer.documents) {
    if (storageKey === null) throw new LazaretError('unavailable', `${digest} is not here yet`);
    const { stream } = await blobs.read(storageKey);
    const bytes = await collect(stream, limits.vexDocumentBytesMax);
    said.push(exceptionsSaid(parseVexDocument(parseJsonField(bytes, 'vex')), sayingOf(referrer, digest)));
  }
  return {
    exceptions: said.flatMap(({ exceptions }) => exceptions),
    otherStatements: said.reduce((sum, one) => sum + one.otherStatements, 0),
    unaddressed: said.flatMap(({ unaddressed }) => unaddressed),
  };
}

/** Whatever products it names: it is about its subject, or an image of the index that this is. */
function sayingOf({ repository, digest: manifest, subject, children }: VexReferrer, digest: string): SaidAs {
  const own = [subject, ...children];
  const withoutProducts: VexTarget = { path: '', imageDigest: null, repository: null, purl: null };
  return {
    ...{ state: 'proposed', account: repository.account, expiresAt: null, manifest, digest, withoutProducts },
    place: ({ imageDigest }) =>
      imageDigest === null || own.includes(imageDigest)
        ? { repositoryGlob: repository.name, imageDigest: imageDigest ?? subject }
        : 'names another image than the one that it is attached to',
  };
}

/** What it proposed before stands as it was decided, but for what went with it when it was deleted. */
async function keepProposed(tx: Tx, referrer: VexReferrer, said: Said): Promise<void> {
  const name = { repository: referrer.repository.name, digest: referrer.digest };
  const standing = (await exceptionsOfReferrer(tx.db, name)).filter((one) => !wentWithIt(one));
  const known = new Set(standing.map(saying));
  const fresh = new Map(said.exceptions.map((one) => [saying(one), one]));
  const wanted = [...fresh].filter(([key]) => !known.has(key)).map(([, one]) => one);
  await exceptionsAdd(tx, wanted, actor);
  const { otherStatements, unaddressed } = said;
  const data = {
    proposed: wanted.length,
    otherStatements,
    unaddressed: unaddressed.slice(0, limits.vexAliasesMax),
  };
  emit(tx, 'vex.read', { ...name, data });
}

function wentWithIt({ state, decidedBy }: Exception): boolean {
  return state === 'withdrawn' && decidedBy === actor;
}

function emit(
  tx: Tx,
  type: 'vex.read' | 'vex.unreadable',
  of: VexReferrerName & { readonly data: Readonly<Record<string, unknown>> },
): void {
  const { repository, digest, data } = of;
  const subject = `${repository}@${digest}`;
  tx.emit({ type, lane: 'local', subject, actor, data: { repository, digest, ...data } });
}
