import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { countsOf, type MetricsSnapshot } from '../../edges/http/metrics.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { inTime } from '../../lib/in-time.ts';
import { limits } from '../../lib/limits.ts';
import { Link } from './link.ts';
import type { ReaderPlan, ReaderVerbs, WriterVerbs } from './verbs.ts';

/**
 * Keeps one reading process running: it is started at once, is told what to serve as soon as that is known, and another
 * one takes its place when it ends, later each time if they don't last.
 *
 *   starting ──plan──► preparing ──serving──► serving ──► ended ──► starting …
 *
 * One that ends before it has ever served ends the start of the whole server.
 */
export interface KeeperDeps {
  readonly number: number;
  readonly plan: Promise<ReaderPlan>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What every reader is answered. */
  readonly answers: Omit<WriterVerbs, 'plan' | 'serving' | 'failed' | 'busy'>;
  /** It pulls, until the result is called. */
  readonly beginPulls: () => () => void;
}

type ReaderLink = Link<ReaderVerbs, WriterVerbs>;

const program = fileURLToPath(new URL('./reader-process.ts', import.meta.url));

export class Keeper {
  readonly #deps: KeeperDeps;
  readonly #stopping = new AbortController();
  readonly #firstServing = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #child: ChildProcess | undefined;
  /** While it serves. */
  #link: ReaderLink | undefined;
  /** The last counts that it told, and those of its predecessors. */
  #told: MetricsSnapshot = [];
  #before: MetricsSnapshot = [];

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#firstServing.promise.catch(() => undefined); // whoever waits for it hears of it
    this.#ended = this.#keep();
  }

  /** Resolves when it serves for the first time. @throws unavailable if it ends before */
  get serving(): Promise<void> {
    return this.#firstServing.promise;
  }

  /** @throws unavailable if it does not serve, or does not answer in time */
  async ask<V extends keyof ReaderVerbs>(
    verb: V,
    waitMs: number,
  ): Promise<Awaited<ReturnType<ReaderVerbs[V]>>> {
    const { clock, number } = this.#deps;
    if (!this.#link) throw new LazaretError('unavailable', `process ${number} does not serve at the moment`);
    const late = `process ${number} did not answer within ${waitMs} ms`;
    return inTime(this.#link.ask(verb, null), { clock, ms: waitMs, late });
  }

  /** Of one that is being replaced: what it told last. */
  async metrics(waitMs: number): Promise<readonly MetricsSnapshot[]> {
    if (this.#link) this.#told = await this.ask('metrics', waitMs);
    return [this.#before, this.#told];
  }

  /** Lets it end what is in flight, at most for `waitMs`. */
  async close(waitMs: number): Promise<void> {
    this.#stopping.abort();
    try {
      if (this.#link) await this.ask('close', waitMs);
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'a reading process is ended by force');
      this.#child?.kill('SIGKILL');
    }
    if (this.#child?.connected) this.#child.disconnect();
    await this.#ended;
  }

  async #keep(): Promise<void> {
    const { clock, logger, number } = this.#deps;
    for (let failures = 0; ; ) {
      const startedMs = clock.bootMs();
      const [exitCode, signal] = await this.#run();
      if (this.#stopping.signal.aborted) return;
      this.#firstServing.reject(new LazaretError('unavailable', `process ${number} ended while it started`));
      logger.error(
        { reader: number, exitCode, signal },
        'a reading process has ended; another one is started',
      );
      const lasted = clock.bootMs() - startedMs >= limits.processSettledMs;
      failures = lasted ? 1 : failures + 1;
      const waitMs = Math.min(limits.processRetryMaxMs, limits.processRetryFirstMs * 2 ** (failures - 1));
      await clock.sleep(waitMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
    }
  }

  /** From its start to its end. */
  async #run(): Promise<readonly [number | null, NodeJS.Signals | null]> {
    const { number } = this.#deps;
    const child = fork(program, [`reader-${number}`], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    let endPulls: (() => void) | undefined;
    const link: ReaderLink = new Link(child, {
      ...this.#deps.answers,
      plan: () => this.#deps.plan,
      serving: async () => {
        this.#link = link;
        this.#firstServing.resolve();
      },
      failed: async (reason) =>
        this.#deps.logger.error({ reader: number, reason }, 'a reading process failed'),
      busy: async (busy) => {
        endPulls?.();
        endPulls = busy ? this.#deps.beginPulls() : undefined;
      },
    });
    await once(child, 'exit');
    this.#link = undefined;
    this.#child = undefined;
    endPulls?.();
    this.#before = await countsOf([this.#before, this.#told]);
    this.#told = [];
    return [child.exitCode, child.signalCode];
  }
}
