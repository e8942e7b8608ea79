import type { RegionLink } from '../../src/agent/region-link.ts';
import type {
  AgentReport,
  AgentReportAnswer,
  Assignment,
  AssignmentsLine,
} from '../../src/contract/agent.ts';
import { LazaretError } from '../../src/lib/errors.ts';

/** A region that a test speaks for: what it sends, and what it was told. */
export class FakeRegion implements RegionLink {
  readonly reports: AgentReport[] = [];
  #line: AssignmentsLine = { kind: 'assignments', revision: 1, assignments: [] };
  #news = Promise.withResolvers<void>();
  #heard = Promise.withResolvers<void>();
  broken = false;
  /** What its answers leave of every lease that is assigned, or nothing while it can't hear home. */
  remainingMs: number | undefined;

  assign(...assignments: Assignment[]): void {
    this.#line = { kind: 'assignments', revision: this.#line.revision + 1, assignments };
    this.#news.resolve();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<AssignmentsLine> {
    const ended = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    while (!signal.aborted) {
      if (this.broken) throw new LazaretError('unavailable', 'the line is cut');
      this.#news = Promise.withResolvers<void>();
      yield this.#line;
      await Promise.race([this.#news.promise, ended]);
    }
  }

  async report(report: AgentReport): Promise<AgentReportAnswer> {
    if (this.broken) throw new LazaretError('unavailable', 'the line is cut');
    this.reports.push(report);
    this.#heard.resolve();
    this.#heard = Promise.withResolvers<void>();
    const { revision, assignments = [] } = this.#line;
    const leased = assignments.filter((one) => one.lease && one.action !== 'stop');
    if (leased.length === 0) return {};
    const { remainingMs } = this;
    const leases =
      remainingMs === undefined ? [] : leased.map(({ deployment }) => ({ deployment, remainingMs }));
    return { revision, assignments, leases };
  }

  /** The first report, also one that came before, in which a container is in `state`. */
  async told(state: string): Promise<AgentReport['containers'][number]> {
    for (let seen = 0; ; ) {
      for (; seen < this.reports.length; seen++) {
        const found = this.reports[seen]?.containers.find((container) => container.state === state);
        if (found) return found;
      }
      await this.#heard.promise;
    }
  }
}
