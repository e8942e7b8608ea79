import type { Logger } from 'pino';
import type { Clock } from '../lib/clock.ts';
import { causeChain } from '../lib/errors.ts';
import type { Foreground } from '../lib/foreground.ts';
import { limits } from '../lib/limits.ts';
import type { Task } from '../lib/task.ts';
import type { Database } from '../records/db/database.ts';

/**
 * Runs the background tasks. Each has a loop of its own: run; again at once while there was something to do; else wait
 * for a commit or for its period. A commit that comes while it runs makes it run once more, so nothing falls in between.
 * Each rests a moment first, in which commits gather: at each of a storm of pushes it would find nothing to do. A commit
 * that comes later than that is answered at once.
 * One that fails waits longer each time, and no commit shortens that. `drain` and the loop never run a task twice at the
 * same time.
 */
export interface TaskRunner {
  /** Runs all tasks until a whole round found nothing to do. @throws what a task threw */
  readonly drain: () => Promise<void>;
  /** Ends the loops, after the step that each is in. */
  readonly stop: () => Promise<void>;
}

export interface TaskRunnerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** False: only `drain` runs them. */
  readonly loops: boolean;
  /** Whom tasks give way to; without it, nobody. */
  readonly foreground?: Pick<Foreground, 'isBusy'>;
}

/** A reason that is no error: to make one costs more than the task. */
const woken = 'woken';
const backoffFirstMs = 1_000;
const backoffMaxMs = 60_000;
const drainRoundsMax = 10_000;

export function startTasks(tasks: readonly Task[], options: TaskRunnerOptions): TaskRunner {
  const stopping = new AbortController();
  const running = tasks.map((task) => new RunningTask(task, stopping.signal, options));
  const unsubscribe = options.database.onCommit(() => {
    for (const task of running) task.wake();
  });
  const loops = options.loops ? running.map((task) => task.loop()) : [];
  return {
    drain: async () => {
      for (let round = 0; round < drainRoundsMax; round++) {
        let worked = false;
        for (const task of running) if ((await task.run()) === 'worked') worked = true;
        if (!worked) return;
      }
      throw new Error('the background tasks found no end');
    },
    stop: async () => {
      stopping.abort();
      unsubscribe();
      await Promise.all(loops);
      await Promise.all(running.map((task) => task.settled()));
    },
  };
}

class RunningTask {
  readonly #task: Task;
  readonly #signal: AbortSignal;
  readonly #options: TaskRunnerOptions;
  /** The run that goes on, or the last one: the next waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  #woken = false;
  #sleep: AbortController | undefined;

  constructor(task: Task, signal: AbortSignal, options: TaskRunnerOptions) {
    this.#task = task;
    this.#signal = signal;
    this.#options = options;
  }

  wake(): void {
    this.#woken = true;
    this.#sleep?.abort(woken);
  }

  run(): Promise<'worked' | 'idle'> {
    const next = this.#last.then(() => (this.#signal.aborted ? 'idle' : this.#task.run(this.#signal)));
    this.#last = next.catch(() => {}); // whoever asked for the run gets its failure
    return next;
  }

  async settled(): Promise<void> {
    await this.#last;
  }

  async loop(): Promise<void> {
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        await this.#giveWay(this.#task);
        this.#woken = false;
        if ((await this.run()) === 'idle') await this.#rest(this.#task);
        failures = 0;
      } catch (error) {
        if (this.#signal.aborted) return;
        const retryMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** failures);
        failures += 1;
        const { name } = this.#task;
        this.#options.logger.error(
          { task: name, error: causeChain(error), err: error, retryMs },
          'task failed',
        );
        await this.#options.clock.sleep(retryMs, this.#signal);
      }
    }
  }

  /** Until nobody pushes or pulls, but not for ever. Who drains waits for nobody. */
  async #giveWay({ givesWayMs = 0 }: Task): Promise<void> {
    const { clock, foreground } = this.#options;
    for (
      let waitedMs = 0;
      waitedMs < givesWayMs && !this.#signal.aborted;
      waitedMs += limits.foregroundQuietMs
    ) {
      if (!foreground?.isBusy()) return;
      await clock.sleep(limits.foregroundQuietMs, this.#signal);
    }
  }

  /** Until the period is over or a commit came, also one since the run began. */
  async #rest({ periodMs, calmMs = limits.taskGatherMs }: Task): Promise<void> {
    if (calmMs > 0) await this.#options.clock.sleep(calmMs, this.#signal);
    if (this.#woken || this.#signal.aborted) return;
    const sleep = new AbortController();
    this.#sleep = sleep;
    const stop = () => sleep.abort(woken);
    this.#signal.addEventListener('abort', stop, { once: true });
    await this.#options.clock.sleep(Math.max(0, periodMs - calmMs), sleep.signal);
    this.#signal.removeEventListener('abort', stop);
    this.#sleep = undefined;
  }
}
