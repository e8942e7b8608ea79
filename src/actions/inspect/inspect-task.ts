/**
 * Reads layers as jobs ask for it, `workers` at a time, and completes the view of each image whose layers are all read,
 * in whatever order that happened and whichever images share them. What is to be done is found in rows: a view that a
 * crash left out is found by the sweep, and a layer that no job is for is given one. While layers are being read, newly
 * asked ones are taken as soon as a worker is free, so that one long layer holds up no other. What is pushed together is
 * read when it is here: a run begins in a pause of pushes and pulls, or after `limits.inspectGivesWayMs`.
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Task } from '../../lib/task.ts';
import type { Database } from '../../records/db/database.ts';
import { KnownIds } from '../../records/inventory/known-ids.ts';
import { imagesReady, inspectionsRepair } from '../../records/inventory/pending.ts';
import { rereadPriority } from '../../records/inventory/stale-layers.ts';
import { viewsWantOfMany } from '../../records/inventory/wanted-views.ts';
import { type Job, jobClaim } from '../../records/jobs/jobs.ts';
import { completeImage } from './complete-image.ts';
import { inspectLayer } from './inspect-layer.ts';
import type { Inspector } from './inspector.ts';

export interface InspectTaskDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly inspector: Inspector;
  /** Layers read at once: the size of the inspector's pool. */
  readonly workers: number;
}

const pathIdsMax = 100_000;
const imagesAtOnce = 20;
const repairsAtOnce = 100;
const sweepEveryMs = 1_000;

export function inspectTask(deps: InspectTaskDeps): Task {
  const inspection = new Inspection(deps);
  return {
    name: 'inspect',
    periodMs: 30_000,
    givesWayMs: limits.inspectGivesWayMs,
    run: (signal) => inspection.run(signal),
  };
}

class Inspection {
  readonly #deps: InspectTaskDeps;
  readonly #worker: string;
  readonly #pathIds = new KnownIds(pathIdsMax);
  readonly #active = new Set<Promise<void>>();
  /** How many of them are read again. */
  #rereads = 0;
  /** What went wrong in this run, and was no layer's fault. Told when the others are done. */
  #failures: unknown[] = [];
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: InspectTaskDeps) {
    this.#deps = deps;
    this.#worker = `inspect-${uuidv7(deps.clock.wallMs())}`;
  }

  async run(signal: AbortSignal): Promise<'worked' | 'idle'> {
    this.#failures = [];
    this.#sweptAtMs = this.#deps.clock.wallMs();
    let worked = await this.#wantViews(signal);
    if ((await this.#complete()) > 0) worked = true;
    const commits = this.#commits();
    try {
      while (!signal.aborted) {
        const news = commits.next();
        if (await this.#claim(signal)) worked = true;
        if (this.#active.size === 0) break;
        await Promise.race([...this.#active, news]);
        await this.#sweep();
      }
    } finally {
      await Promise.all(this.#active);
      commits.end();
    }
    if (!worked && !signal.aborted)
      worked = (await inspectionsRepair(this.#deps.database, repairsAtOnce)) > 0;
    if (this.#failures.length > 0) throw this.#failures[0];
    return worked ? 'worked' : 'idle';
  }

  /** Images of which no layer had to be read; not at every commit while layers are being read. */
  async #sweep(): Promise<void> {
    const nowMs = this.#deps.clock.wallMs();
    if (nowMs - this.#sweptAtMs < sweepEveryMs) return;
    this.#sweptAtMs = nowMs;
    await this.#complete();
  }

  /** Fills the free workers. @returns whether there was a job */
  async #claim(signal: AbortSignal): Promise<boolean> {
    let found = false;
    while (this.#active.size < this.#deps.workers) {
      // One worker stays free for what is pushed, if there are several.
      const priorityMin = this.#rereads >= Math.max(1, this.#deps.workers - 1) ? 0 : rereadPriority;
      const job = await jobClaim(this.#deps, { kind: 'inspect', priorityMin }, this.#worker);
      if (!job) return found;
      found = true;
      this.#start(job, signal);
    }
    return found;
  }

  #start(job: Job, signal: AbortSignal): void {
    const again = job.priority < 0 ? 1 : 0;
    this.#rereads += again;
    const running = this.#inspect(job, signal)
      .catch((error) => void this.#failures.push(error))
      .finally(() => {
        this.#rereads -= again;
        this.#active.delete(running);
      });
    this.#active.add(running);
  }

  async #inspect(job: Job, signal: AbortSignal): Promise<void> {
    await inspectLayer({ ...this.#deps, pathIds: this.#pathIds }, job, signal);
    await this.#wantViews(signal);
    if (!signal.aborted) await this.#complete(job.key);
  }

  /** Of layers that many images have. @returns whether there were any */
  async #wantViews(signal: AbortSignal): Promise<boolean> {
    let found = false;
    while (!signal.aborted && (await viewsWantOfMany(this.#deps, this.#worker, signal))) found = true;
    return found;
  }

  /** One image that can't be completed now holds up no other. @returns how many were */
  async #complete(layerDigest?: string): Promise<number> {
    const limit = imagesAtOnce;
    const asked = layerDigest === undefined ? { limit } : { limit, layerDigest };
    let completed = 0;
    for (const manifestId of await imagesReady(this.#deps.database, asked)) {
      try {
        await completeImage(this.#deps, manifestId);
        completed += 1;
      } catch (error) {
        this.#failures.push(error);
      }
    }
    return completed;
  }

  /** `next()` resolves at the first commit after it was asked. */
  #commits(): { next(): Promise<void>; end(): void } {
    let wake: () => void = () => {};
    const end = this.#deps.database.onCommit(() => wake());
    return {
      next: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
      end,
    };
  }
}
