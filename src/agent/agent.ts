/**
 * The instance's side. Three loops that share the container store and meet only through it:
 *
 * - *watch*: keeps a connection to the region and the newest assignments; a broken one is made anew, with a back-off.
 *   Without it what runs goes on running.
 * - *tend*: looks at the runtime, reconciles, hands each deployment's step to its one worker. Woken by assignments, by a
 *   worker that ended, and by a short tick, since a container may end by itself.
 * - *report*: sends everything at once when something changed, and every `limits.heartbeatMs`. A container that has
 *   stopped is forgotten once the region has heard of it. The answers renew the leases (leases.ts).
 *
 * Before the loops begin, what has a lease of another boot is ended.
 */
import type { AgentReportAnswer, Assignment, AssignmentsLine } from '../contract/agent.ts';
import { causeChain } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { uuidv7 } from '../lib/random.ts';
import { ContainerStore } from './container-store.ts';
import { startContainer, stopContainer, type WorkDeps, workOnLease } from './container-work.ts';
import { type LeaseStep, type Moment, withoutUnleased } from './lease.ts';
import { Leases } from './leases.ts';
import { type LocalContainer, newContainer, observed, reportOf } from './local-container.ts';
import { reconcile, type Step } from './reconcile.ts';
import type { RegionLink } from './region-link.ts';
import { WakeUp } from './wake-up.ts';

export interface AgentOptions extends Omit<WorkDeps, 'store' | 'leases'> {
  readonly link: RegionLink;
  /** Names this boot of the machine (boot-id.ts). */
  readonly bootId: string;
  /** Lines for the person who runs it. */
  readonly log: (line: string) => void;
}

export interface Agent {
  /** Ends the loops; containers go on running. */
  stop(): Promise<void>;
}

/** @throws invalid when the data folder holds something else */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const store = await ContainerStore.open(options.dataFolder);
  const running = new RunningAgent(options, store, await Leases.open({ ...options, store }));
  await running.endForeign();
  return { stop: running.start() };
}

type AnyStep = Step | LeaseStep;

interface Worker {
  readonly kind: AnyStep['kind'];
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

class RunningAgent {
  readonly #options: AgentOptions;
  readonly #store: ContainerStore;
  readonly #leases: Leases;
  readonly #work: WorkDeps;
  readonly #stopping = new AbortController();
  readonly #tend: WakeUp;
  readonly #news: WakeUp;
  readonly #workers = new Map<string, Worker>();
  #assignments: readonly Assignment[] = [];
  #revision = 0;
  #reported = '';

  constructor(options: AgentOptions, store: ContainerStore, leases: Leases) {
    this.#options = options;
    this.#store = store;
    this.#leases = leases;
    this.#work = { ...options, store, leases };
    this.#tend = new WakeUp(options.clock);
    this.#news = new WakeUp(options.clock);
  }

  /** What could not be ended is tried again in the loops. */
  async endForeign(): Promise<void> {
    for (const step of this.#leases.foreignSteps()) {
      this.#options.log(`ending ${step.container.name} (${step.container.uid}): ${step.message}`);
      await workOnLease(this.#work, step).catch((error: unknown) =>
        this.#options.log(`${step.container.deployment}: ${causeChain(error)}`),
      );
    }
  }

  start(): () => Promise<void> {
    const loops = [this.#watchLoop(), this.#tendLoop(), this.#reportLoop()];
    return async () => {
      this.#stopping.abort();
      for (const worker of this.#workers.values()) if (worker.kind !== 'stop') worker.abort.abort();
      await Promise.all([...loops, ...[...this.#workers.values()].map((worker) => worker.done)]);
    };
  }

  async #watchLoop(): Promise<void> {
    const { link, log, clock } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        let first = true;
        for await (const line of link.watch(signal)) {
          if (failures > 0 || this.#revision === 0) log('connected to the region');
          failures = 0;
          // An answer to a report may have been newer; a new connection may be to a region that was restored.
          if (first || line.revision >= this.#revision) this.#take(line);
          // What needs a lease should not wait for the next report.
          if (line.assignments?.some((one) => this.#lacksLease(one))) this.#news.wake();
          first = false;
        }
      } catch (error) {
        if (!signal.aborted) log(`the region can't be heard: ${causeChain(error)}`);
      }
      await clock.sleep(Math.min(watchBackoffMaxMs, watchBackoffFirstMs * 2 ** failures), signal);
    }
  }

  #lacksLease({ lease, action, deployment }: Assignment): boolean {
    return lease !== undefined && action === 'run' && !this.#leases.isHeld(deployment);
  }

  #take({ revision, assignments }: Pick<AssignmentsLine, 'revision' | 'assignments'>): void {
    this.#revision = revision;
    if (assignments) this.#assignments = assignments;
    this.#tend.wake();
  }

  async #tendLoop(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#observe();
        const wanted = withoutUnleased(this.#assignments, (deployment) => this.#leases.isHeld(deployment));
        const steps = reconcile(wanted, this.#store.list(), this.#options.clock.wallMs());
        for (const step of steps) this.#begin(step);
      } catch (error) {
        log(`the runtime can't be asked: ${causeChain(error)}`);
      }
      for (const step of this.#leases.steps()) this.#begin(step);
      await this.#tend.rest(limits.agentTickMs, this.#stopping.signal);
    }
  }

  /** Brings the records up to what the runtime has, but for those that a worker has in hand. */
  async #observe(): Promise<void> {
    const statuses = new Map((await this.#options.runtime.list()).map((status) => [status.id, status]));
    for (const container of this.#store.list()) {
      if (this.#workers.has(container.deployment)) continue;
      const now = observed(container, statuses.get(container.uid), this.#options.clock.wallMs());
      if (now !== container) await this.#store.set(now);
    }
    if (this.#reported !== this.#reportText()) this.#news.wake();
  }

  /** One worker for each deployment; a stop ends a start. */
  #begin(step: AnyStep): void {
    const deployment = step.kind === 'create' ? step.assignment.deployment : step.container.deployment;
    const busy = this.#workers.get(deployment);
    if (busy) {
      if (step.kind === 'stop' && busy.kind !== 'stop') busy.abort.abort();
      return;
    }
    const abort = new AbortController();
    const done = this.#run(step, abort.signal).then(
      () => {
        this.#workers.delete(deployment);
        this.#tend.wake();
      },
      (error: unknown) => {
        // The next tick tries again.
        this.#workers.delete(deployment);
        this.#options.log(`${deployment}: ${causeChain(error)}`);
      },
    );
    this.#workers.set(deployment, { kind: step.kind, abort, done });
  }

  async #run(step: AnyStep, signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#options;
    if (step.kind === 'stop') {
      log(`stopping ${step.container.name} (${step.container.uid}): ${step.reason}`);
      await stopContainer(this.#work, step.container, step);
      return;
    }
    if (step.kind === 'endLease' || step.kind === 'pause' || step.kind === 'resume') {
      const why = step.kind === 'resume' ? 'its lease was renewed' : step.message;
      log(`${leaseVerbs[step.kind]} ${step.container.name} (${step.container.uid}): ${why}`);
      return workOnLease(this.#work, step);
    }
    const { assignment } = step;
    const container: LocalContainer =
      step.kind === 'start' ? step.container : newContainer(uuidv7(clock.wallMs()), assignment);
    log(`starting ${assignment.name} (${container.uid})`);
    await this.#store.set(container);
    this.#news.wake();
    await startContainer(this.#work, container, { assignment, signal });
  }

  async #reportLoop(): Promise<void> {
    const { link, log, runtime, clock } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      const containers = this.#store.list();
      const text = this.#reportText();
      try {
        const report = {
          revision: this.#revision,
          runtime: runtime.name,
          containers: containers.map(reportOf),
        };
        const asked = this.#leases.now();
        const answer = await link.report(report, signal);
        await this.#hear(answer, asked);
        this.#reported = text;
        failures = -1;
        for (const { state, uid } of containers) if (state === 'stopped') await this.#store.delete(uid);
      } catch (error) {
        if (signal.aborted) return;
        log(`the region can't be told: ${causeChain(error)}`);
        await clock.sleep(Math.min(limits.heartbeatMs, limits.agentBackoffFirstMs * 2 ** failures), signal);
      }
      await this.#news.rest(limits.heartbeatMs, signal);
    }
  }

  /** Leases count from when they were asked for, and only with the assignments that they came with. */
  async #hear(answer: AgentReportAnswer, asked: Moment): Promise<void> {
    const { revision, assignments, leases = [] } = answer;
    if (revision === undefined || !assignments || revision < this.#revision) return;
    // At once, since newer assignments may come while the leases are written down.
    this.#take({ revision, assignments });
    await this.#leases.renew({ asked, assignments, leases });
    this.#tend.wake();
  }

  #reportText(): string {
    return JSON.stringify(this.#store.list().map(reportOf));
  }
}

const leaseVerbs = { endLease: 'ending', pause: 'pausing', resume: 'resuming' } as const;
const watchBackoffFirstMs = 250;
const watchBackoffMaxMs = 15_000;
