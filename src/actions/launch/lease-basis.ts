/**
 * Since when this region knows that home (the primary region) has ended nothing that runs on here: the *basis* from which
 * the leases of its instances count.
 *
 *     ask home for its head ── remembered with the moment of sending ──▶ answered ──▶ applied ──▶ basis
 *
 * Home answers at some moment after the question was sent, so whatever it had ended until the sending is in its quarantine
 * lane up to the head that it names. Once this region has applied the lane up to there, the moment of sending is the
 * basis. The moment of the answer would not do: an answer may be long under way, and home may have ended something since.
 *
 * In the primary region itself the basis is always now. After a restart there is none until home has answered, so that
 * leases are not renewed; nothing of it is kept, since a kept one could only be older. The time since is the longer of
 * boot time and wall time, so that a machine that was paused in between does not grant what has passed. Several server
 * processes of one region ask each for itself and share the cursor.
 */
import type { Clock } from '../../lib/clock.ts';
import { causeChain, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { type Cursors, regionCursors } from '../../records/regions/regions.ts';

export interface LeaseBasisDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** Absent in the primary region itself. @throws unavailable by `head` */
  readonly primary: { readonly region: string; head(signal: AbortSignal): Promise<Cursors> } | undefined;
  /** Told once of each failure that goes on. */
  readonly onProblem: (error: LazaretError) => void;
}

interface Moment {
  readonly bootMs: number;
  readonly wallMs: number;
}

export class LeaseBasis {
  readonly #deps: LeaseBasisDeps;
  /** Answers that are not known to be applied yet, oldest first. */
  #answers: { readonly sent: Moment; readonly head: number }[] = [];
  #basis: Moment | undefined;

  constructor(deps: LeaseBasisDeps) {
    this.#deps = deps;
  }

  /** Asks home every `limits.heartbeatMs` until `signal` aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    if (!this.#deps.primary) return;
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        await this.ask(signal);
        told = undefined;
      } catch (cause) {
        if (signal.aborted) return;
        const error = new LazaretError('unavailable', 'leases can not be renewed: home does not answer', {
          cause,
        });
        if (causeChain(error) !== told) this.#deps.onProblem(error);
        told = causeChain(error);
      }
      await this.#deps.clock.sleep(limits.heartbeatMs, signal);
    }
  }

  /** Asks home once. @throws unavailable */
  async ask(signal: AbortSignal): Promise<void> {
    const { primary, clock } = this.#deps;
    if (!primary) return;
    const sent = { bootMs: clock.bootMs(), wallMs: clock.wallMs() };
    const head = (await primary.head(signal)).quarantine;
    this.#answers.push({ sent, head });
    // While the lane stands still, the oldest are the first that can count.
    if (this.#answers.length > limits.leaseAnswersMax) this.#answers.pop();
  }

  /** Milliseconds since the basis, or nothing while there is none. Rows that are read afterwards are at least as new. */
  async elapsedMs(): Promise<number | undefined> {
    const { primary, clock, database } = this.#deps;
    if (!primary) return 0;
    const { quarantine: applied } = await regionCursors(database.read, primary.region);
    this.#basis = this.#answers.findLast((answer) => answer.head <= applied)?.sent ?? this.#basis;
    this.#answers = this.#answers.filter((answer) => answer.head > applied);
    if (!this.#basis) return undefined;
    return Math.max(clock.bootMs() - this.#basis.bootMs, clock.wallMs() - this.#basis.wallMs);
  }
}
