/**
 * Asks for bills of materials as the log says: of an image that was inspected, in each repository here that has it; of a
 * manifest that was pushed, since it may have been inspected long ago; and, when a rule is made, of all images that it is
 * over. What is asked for is a job per image and repository (`attach-sbom.ts`). The cursor steps in the transaction that
 * asks, or after it; asking twice changes nothing. While there is no rule the log is not read.
 *
 * Only at the repository's home: the others get the artefacts as they get everything.
 */
import type { Clock } from '../../lib/clock.ts';
import { causeChain } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { repositoriesOfHome } from '../../records/catalog/repositories.ts';
import { type SbomRule, sbomFollower, sbomFormatsOver, sbomRules } from '../../records/catalog/sbom-rules.ts';
import {
  imagesOfRepository,
  repositoriesWithImage,
  type SbomName,
} from '../../records/inventory/images-for-sboms.ts';
import { type Job, jobClaim, jobEnqueue, jobFail } from '../../records/jobs/jobs.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { cursorGet, cursorSet, logRead } from '../../records/log/log.ts';
import { type AttachDeps, attachSboms, sbomActor } from './attach-sbom.ts';

export interface AttachTaskDeps extends AttachDeps {
  readonly clock: Clock;
  readonly region: string;
}

const kind = 'sbom';
const eventsAtOnce = 500;

export function attachTask(deps: AttachTaskDeps): Task {
  return {
    name: 'attach-sboms',
    periodMs: 30_000,
    calmMs: limits.taskCalmMs,
    givesWayMs: limits.inspectGivesWayMs,
    run: async (signal) => {
      const followed = await followLog(deps, signal);
      const job = signal.aborted ? undefined : await jobClaim(deps, { kind }, kind);
      if (job) await attach(deps, job);
      return followed || job ? 'worked' : 'idle';
    },
  };
}

/** @returns whether there was anything to read */
async function followLog(deps: AttachTaskDeps, signal: AbortSignal): Promise<boolean> {
  const { database } = deps;
  const rules = await sbomRules(database.read);
  if (rules.length === 0) return false;
  const after = await cursorGet(database.read, sbomFollower);
  const events = await logRead(database.read, { after, limit: eventsAtOnce });
  const last = events.at(-1);
  if (!last) return false;
  for (const event of events)
    for await (const names of concerned(deps, rules, event)) {
      if (signal.aborted) return false;
      await ask(deps, names);
    }
  // What a crash takes back is read again.
  await database.transact((tx) => cursorSet(tx, sbomFollower, last.position), { mayBeLost: true });
  return true;
}

async function* concerned(
  { database, region }: AttachTaskDeps,
  rules: readonly SbomRule[],
  { type, data, actor }: LogEvent,
): AsyncGenerator<readonly SbomName[]> {
  const { digest, repository, name } = data;
  const wants = (of: { name: string; account: string }, by = rules) => sbomFormatsOver(by, of).length > 0;
  if (type === 'sbomRule.set') {
    const made = rules.filter((rule) => rule.name === name);
    for (const here of await repositoriesOfHome(database.read, region))
      if (wants(here, made)) yield* imagesOfRepository(database.read, here);
  } else if (typeof digest === 'string' && actor !== sbomActor && isNews(type, data)) {
    const holding = (await repositoriesWithImage(database.read, region, digest)).filter((one) => wants(one));
    const only = type === 'manifest.pushed' ? holding.filter((one) => one.name === repository) : holding;
    if (only.length > 0) yield only.map((one) => ({ repository: one.name, digest }));
  }
}

function isNews(type: string, { state }: LogEvent['data']): boolean {
  return type === 'manifest.pushed' || (type === 'image.inspected' && state !== 'notApplicable');
}

async function ask({ database }: AttachTaskDeps, names: readonly SbomName[]): Promise<void> {
  await database.transact(async (tx) => {
    for (const { repository, digest } of names)
      await jobEnqueue(tx, { kind, key: `${repository}@${digest}`, payload: { repository, digest } });
  });
}

/** One that fails is tried again; after the last try the log says why. */
async function attach(deps: AttachTaskDeps, job: Job): Promise<void> {
  const [repository = '', digest = ''] = job.key.split('@');
  try {
    await attachSboms(deps, job, { repository, digest });
  } catch (error) {
    const reason = causeChain(error);
    await deps.database.transact(async (tx) => {
      if ((await jobFail(tx, job, reason)) === 'again') return;
      const data = { repository, digest, reason };
      tx.emit({ type: 'sbom.failed', lane: 'local', subject: job.key, actor: sbomActor, data });
    });
  }
}
