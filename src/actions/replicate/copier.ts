import type { Clock } from '../../lib/clock.ts';
import { causeChain, hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { randomKey } from '../../lib/random.ts';
import type { Task } from '../../lib/task.ts';
import { parseDigest } from '../../oci/digest.ts';
import { blobFind } from '../../records/catalog/blobs.ts';
import { type Job, jobClaim, jobClaimKey, jobExtend, jobFail, jobIsDue } from '../../records/jobs/jobs.ts';
import { copyEnqueue, copyJob } from '../../records/regions/copies.ts';
import { type CopyDeps, copyAliveEveryMs, copyBlob, copyGivenUp } from './copy.ts';

export interface CopierDeps extends CopyDeps {
  /** Told of copies that failed for another reason than a peer out of reach, which followers tell of. */
  readonly onProblem: (error: LazaretError) => void;
}

/** Copies the bytes of remote blobs: in the background, and at once when somebody waits for one. */
export class Copier {
  readonly task: Task;
  readonly #deps: CopierDeps;
  readonly #worker = randomKey();
  readonly #closing = new AbortController();
  readonly #asked = new Map<string, Promise<void>>();

  constructor(deps: CopierDeps) {
    this.#deps = deps;
    this.task = { name: 'replicate-copy', periodMs: 5_000, run: (signal) => this.#drain(signal) };
  }

  /**
   * Makes the blob's bytes be here; everyone who waits for the same blob waits for one copy.
   * @throws unavailable when home does not answer or the copy does not verify; quarantined when it is refused there
   */
  async fetchRemote(digest: string): Promise<void> {
    // Jobs, and whoever waits, know a blob by its row's digest.
    const row = await blobFind(this.#deps.database.read, parseDigest(digest));
    if (row?.state !== 'remote') return;
    const known = this.#asked.get(row.digest);
    if (known) return known;
    const fetched = this.#fetch(row.digest).finally(() => this.#asked.delete(row.digest));
    this.#asked.set(row.digest, fetched);
    return fetched;
  }

  /** Ends the copies that nobody in the background looks after. */
  close(): void {
    this.#closing.abort();
  }

  async #fetch(digest: string): Promise<void> {
    const { database } = this.#deps;
    await database.transact((tx) => copyEnqueue(tx, [digest], 'asked'));
    const job = await jobClaimKey(database, { kind: copyJob, key: digest }, this.#worker);
    if (!job) return this.#arrival(digest);
    const end = await this.#atMost(this.#work(job, this.#closing.signal));
    if (end === 'late') throw stillComing(digest);
    if (end instanceof LazaretError) throw stillComing(digest, end);
    if (end === 'refused') throw new LazaretError('quarantined', `${digest} is under quarantine at its home`);
  }

  /** The copy goes on when the request has given up waiting. */
  async #atMost<T>(work: Promise<T>): Promise<T | 'late'> {
    const ended = new AbortController();
    const late = this.#deps.clock.sleep(limits.fetchRemoteMs, ended.signal).then(() => 'late' as const);
    return Promise.race([work, late]).finally(() => ended.abort());
  }

  /** Another worker has the job: until the blob is live, or time is up. */
  async #arrival(digest: string): Promise<void> {
    const { database, clock } = this.#deps;
    const until = clock.bootMs() + limits.fetchRemoteMs;
    const commits = new CommitWaiter(database, clock);
    try {
      while (clock.bootMs() < until) {
        const row = await blobFind(database.read, parseDigest(digest));
        if (row?.state !== 'remote') return;
        await commits.next(limits.heartbeatMs);
      }
    } finally {
      commits.close();
    }
    throw stillComing(digest);
  }

  async #drain(signal: AbortSignal): Promise<'worked' | 'idle'> {
    if (!(await jobIsDue(this.#deps, { kind: copyJob }))) return 'idle';
    const lanes = Array.from({ length: limits.copiesAtOnce }, () => this.#drainOne(signal));
    return (await Promise.all(lanes)).includes('worked') ? 'worked' : 'idle';
  }

  async #drainOne(signal: AbortSignal): Promise<'worked' | 'idle'> {
    for (let done: 'worked' | 'idle' = 'idle'; ; done = 'worked') {
      const job = signal.aborted ? undefined : await jobClaim(this.#deps, { kind: copyJob }, this.#worker);
      if (!job) return done;
      await this.#work(job, signal);
    }
  }

  /** Never throws for what the world does: a failure is kept with the job, and returned. */
  async #work(job: Job, signal: AbortSignal): Promise<LazaretError | 'copied' | 'refused' | 'unneeded'> {
    const { database, clock, onProblem } = this.#deps;
    const ended = new AbortController();
    const extend = () => database.transact((tx) => jobExtend(tx, job));
    // Its lease ends without it, which the copy survives; that it failed is said once.
    const alive = keepAlive(clock, ended.signal, extend).catch((cause: unknown) =>
      onProblem(new LazaretError('unavailable', `copying ${job.key} goes on without its lease`, { cause })),
    );
    try {
      return await copyBlob(this.#deps, job, signal);
    } catch (cause) {
      const error = new LazaretError('unavailable', `copying ${job.key} failed`, { cause });
      if (!hasCode(cause, 'unavailable') && !signal.aborted) onProblem(error);
      await database.transact(async (tx) => {
        if ((await jobFail(tx, job, causeChain(error))) === 'dead') await copyGivenUp(tx, job);
      });
      return error;
    } finally {
      ended.abort();
      await alive;
    }
  }
}

async function keepAlive(clock: Clock, ended: AbortSignal, extend: () => Promise<void>): Promise<void> {
  for (;;) {
    await clock.sleep(copyAliveEveryMs, ended);
    if (ended.aborted) return;
    await extend();
  }
}

function stillComing(digest: string, cause?: LazaretError): LazaretError {
  return new LazaretError('unavailable', `the bytes of ${digest} are still in its home region; try again`, {
    cause,
  });
}

/** Waits for commits from its making on, so that none falls in between two looks. */
class CommitWaiter {
  readonly #clock: Clock;
  readonly close: () => void;
  #woken = new AbortController();

  constructor(database: CopierDeps['database'], clock: Clock) {
    this.#clock = clock;
    this.close = database.onCommit(() => this.#woken.abort());
  }

  async next(atMostMs: number): Promise<void> {
    await this.#clock.sleep(atMostMs, this.#woken.signal);
    this.#woken = new AbortController();
  }
}
