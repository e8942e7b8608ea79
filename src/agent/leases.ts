import type { AgentReportAnswer, Assignment } from '../contract/agent.ts';
import type { Clock } from '../lib/clock.ts';
import { causeChain, LazaretError } from '../lib/errors.ts';
import type { ContainerStore } from './container-store.ts';
import { type Lease, type LeaseStep, leaseRenewed, leaseState, leaseStep, type Moment } from './lease.ts';
import { LeaseBook } from './lease-book.ts';
import type { LocalContainer } from './local-container.ts';
import type { Runtime } from './runtimes/runtime.ts';

interface LeasesOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly runtime: Runtime;
  readonly store: ContainerStore;
  readonly dataFolder: string;
  readonly log: (line: string) => void;
}

/** The leases of this instance: renewed by answers, handed to the keepers, asked what is to be done. */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #book: LeaseBook;

  private constructor(options: LeasesOptions, book: LeaseBook) {
    this.#options = options;
    this.#book = book;
  }

  /** @throws invalid when the data folder holds something else */
  static async open(options: LeasesOptions): Promise<Leases> {
    return new Leases(options, await LeaseBook.open(options.dataFolder));
  }

  now(): Moment {
    const { clock, bootId } = this.#options;
    return { bootMs: clock.bootMs(), wallMs: clock.wallMs(), bootId };
  }

  isHeld(deployment: string): boolean {
    const lease = this.#book.get(deployment);
    return lease !== undefined && leaseState(lease, this.now()) === 'held';
  }

  /** @throws unavailable: a start that took longer than the lease must not end in a start */
  assertHeld({ deployment, lease }: Assignment): void {
    if (lease?.onLeaseEnd === 'keep' || this.isHeld(deployment)) return;
    throw new LazaretError('unavailable', 'its lease ended before it could be started');
  }

  steps(): LeaseStep[] {
    return this.#options.store.list().flatMap((container) => this.#step(container) ?? []);
  }

  /** What runs on a lease of another boot. */
  foreignSteps(): Extract<LeaseStep, { kind: 'endLease' }>[] {
    return this.steps().flatMap((step) =>
      step.kind === 'endLease' && this.#isForeign(step.container.deployment) ? [step] : [],
    );
  }

  /**
   * Takes over what an answer leaves of the leases. A container on a lease of another boot must be ended first; leases of
   * what is neither assigned nor here are forgotten.
   */
  async renew({ asked, assignments, leases }: Renewal): Promise<void> {
    const { store, log } = this.#options;
    const terms = new Map(assignments.map((assignment) => [assignment.deployment, assignment]));
    const renewed = new Map<string, Lease>();
    for (const { deployment, remainingMs } of leases) {
      const { lease, stopDeadlineMs } = terms.get(deployment) ?? {};
      if (!lease || stopDeadlineMs === undefined || this.#runsForeign(deployment)) continue;
      const { onLeaseEnd } = lease;
      renewed.set(
        deployment,
        leaseRenewed({ deployment, onLeaseEnd, stopDeadlineMs }, { asked, remainingMs }),
      );
    }
    const present = new Set(store.list().map((container) => container.deployment));
    const kept = this.#book
      .list()
      .filter(({ deployment }) => terms.has(deployment) || present.has(deployment))
      .filter(({ deployment }) => !renewed.has(deployment));
    await this.#book.replace([...kept, ...renewed.values()]);
    for (const container of store.list())
      if (renewed.has(container.deployment))
        await this.handOver(container).catch((error: unknown) =>
          // It ends its container earlier than it need; the next renewal tells it again.
          log(`${container.uid}: its keeper can't be told of its lease: ${causeChain(error)}`),
        );
  }

  /** To the container's keeper. @throws what the runtime throws */
  async handOver({ uid, deployment }: LocalContainer): Promise<void> {
    const lease = this.#book.get(deployment);
    if (!lease || lease.onLeaseEnd === 'keep') return;
    const { expiresAtBootMs, wallLeadMs, onLeaseEnd, stopDeadlineMs } = lease;
    const kept = { expiresAtBootMs, wallLeadMs, onLeaseEnd, stopDeadlineMs };
    await this.#options.runtime.keepLease(uid, kept);
  }

  #step(container: LocalContainer): LeaseStep | undefined {
    const lease = this.#book.get(container.deployment);
    const canPause = this.#options.runtime.freezer !== undefined;
    return lease && leaseStep(container, lease, { now: this.now(), canPause });
  }

  #runsForeign(deployment: string): boolean {
    return this.foreignSteps().some((step) => step.container.deployment === deployment);
  }

  #isForeign(deployment: string): boolean {
    const lease = this.#book.get(deployment);
    return lease !== undefined && leaseState(lease, this.now()) === 'foreign';
  }
}

export interface Renewal {
  readonly asked: Moment;
  readonly assignments: readonly Assignment[];
  readonly leases: NonNullable<AgentReportAnswer['leases']>;
}
