/**
 * Who goes on next. Every call that a simulated operation makes of its database, its store, its clock or a peer stops at
 * a gate. Between two steps nothing runs: everything waits at a gate, or sleeps. A step lets one call pass and waits until
 * all that follows from it waits again; so the whole run is decided by the order of the gates, which is drawn from a seed.
 *
 * What may happen to a call: it passes · it fails before its effect · it takes effect and its answer is late (other
 * calls pass meanwhile) · it takes effect and its answer is lost (the caller is told `unavailable`) · its process dies,
 * before the effect or between effect and answer, and it never returns.
 *
 * Granularity: a transaction passes as a whole. That loses nothing on SQLite, whose transactions take turns, and whose
 * readers see none of an open one. On PostgreSQL statements of two transactions interleave under row locks: the records'
 * own tests are for that.
 */
import { LazaretError } from '../../src/lib/errors.ts';
import { turnEnded } from '../../src/lib/shared.ts';
import type { SeededRandom } from './random.ts';

/** Between two calls an operation may let others have their turn of the event loop: so often, and once more to go on. */
const turnsBetweenGates = 4;

/** A promise that was broken: what the simulation is looking for. */
export class Violation extends Error {}

/** One thing that a client, an operator or a background task does, in one process. */
export interface Operation {
  readonly id: number;
  readonly name: string;
  readonly process: string;
  readonly region: string;
  /** A fault was injected into one of its calls. */
  disturbed: boolean;
  /** Inside a transaction its reads pass: it holds the writer. */
  inTransaction: number;
  /** It is left where it is until this step, while others go on. */
  stalledUntil: number;
  /** What the oracle must know when a transaction of it begins. */
  onTransaction: (() => void) | undefined;
  /** What the oracle must know when its process dies. */
  readonly onDeath: Set<() => void>;
}

export interface Rates {
  readonly failBefore: number;
  readonly lose: number;
  readonly late: number;
  /** Reads pass without a stop at this rate. */
  readonly quickRead: number;
}

type Verdict = 'pass' | 'late' | 'lost';

interface Gate {
  readonly op: Operation;
  readonly label: string;
  /** Sleepers only: when they wake. */
  readonly untilMs?: number;
  readonly kind: 'call' | 'read' | 'answer' | 'sleep';
  pass(verdict: Verdict): void;
  fail(error: Error): void;
  /** Nobody may call it any more. */
  leave(): void;
}

export class Scheduler {
  readonly random: SeededRandom;
  readonly trace: string[] = [];
  readonly running = new Set<Operation>();
  rates: Rates;
  /** The boot clock of every machine. */
  nowMs: number;
  /** How far the time of day is from it: somebody may set it. */
  wallLeadMs = 0;
  /** The time of day after each time that it was set. */
  readonly #setWalls: number[] = [];
  /** Whose machine stands still. */
  isHeld: (op: Operation) => boolean = () => false;
  step = 0;
  #gates: Gate[] = [];
  #lastId = 0;
  #failure: unknown;

  constructor(random: SeededRandom, options: { rates: Rates; nowMs: number }) {
    this.random = random;
    this.rates = options.rates;
    this.nowMs = options.nowMs;
  }

  say(line: string): void {
    this.trace.push(`${String(this.step).padStart(4)} ${line}`);
  }

  /** Begins an operation; it runs until its first gate when the scheduler next settles. */
  start(at: { name: string; process: string; region: string }, work: (op: Operation) => Promise<void>): void {
    const op: Operation = {
      ...at,
      id: ++this.#lastId,
      disturbed: false,
      inTransaction: 0,
      stalledUntil: 0,
      onTransaction: undefined,
      onDeath: new Set(),
    };
    this.running.add(op);
    this.say(`${nameOf(op)} begins`);
    const end = (how: string) => {
      const alive = this.running.delete(op);
      if (alive) this.say(`${nameOf(op)} ${how}`);
      return alive;
    };
    work(op).then(
      () => end('ends'),
      (error: unknown) => {
        if (end(`fails: ${error instanceof Error ? error.message : String(error)}`)) this.#failure ??= error;
      },
    );
  }

  /** Runs what can run without passing a gate. @throws what an operation failed with: a violation, or a fault in here */
  async settle(): Promise<void> {
    do {
      for (let turn = 0; turn < turnsBetweenGates; turn++) await turnEnded();
      // Two processes that write at once would make SQLite wait for itself.
    } while ([...this.running].some((op) => op.inTransaction > 0));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A call with an effect. */
  async call<T>(op: Operation, label: string, effect: () => Promise<T>): Promise<T> {
    const verdict = await this.#wait(op, { label, kind: 'call' });
    const value = await effect();
    if (verdict === 'pass') return value;
    await this.#wait(op, { label: `${label}: its answer`, kind: 'answer' });
    if (verdict === 'lost') throw unavailable(`the answer to ${label} was lost`);
    return value;
  }

  /** After a read: what was read may be old when it arrives. */
  async read(op: Operation, label: string): Promise<void> {
    if (op.inTransaction > 0 || this.random.chance(this.rates.quickRead)) return;
    await this.#wait(op, { label, kind: 'read' });
  }

  async sleep(op: Operation, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    const waiting = this.#wait(op, { label: 'sleep', kind: 'sleep', untilMs: this.nowMs + ms }, signal);
    await waiting;
  }

  #wait(
    op: Operation,
    gate: Pick<Gate, 'label' | 'kind' | 'untilMs'>,
    signal?: AbortSignal,
  ): Promise<Verdict> {
    // Whoever goes on after its process died never comes back.
    if (!this.running.has(op)) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#take(placed);
        if (this.running.has(op)) resolve('pass');
      };
      // A signal that somebody listens to is kept for ever, and all that its listener knows with it.
      const leave = () => signal?.removeEventListener('abort', abort);
      const placed: Gate = { op, ...gate, pass: resolve, fail: reject, leave };
      this.#gates.push(placed);
      signal?.addEventListener('abort', abort);
    });
  }

  /** It waits no longer. */
  #take(gate: Gate): void {
    this.#gates = this.#gates.filter((other) => other !== gate);
    gate.leave();
  }

  /** Whether anything but time can go on. */
  get ready(): boolean {
    return this.#ready().length > 0;
  }

  #ready(): Gate[] {
    return this.#gates.filter(
      ({ op, untilMs }) =>
        op.stalledUntil <= this.step && (untilMs === undefined || untilMs <= this.nowMs) && !this.isHeld(op),
    );
  }

  /** One that waits at a gate stays there for a while, whatever else goes on: what it has read gets old. */
  stall(): void {
    const waiting = this.#ready().filter(({ kind }) => kind !== 'sleep');
    // Most is at stake before a transaction, when what was looked at before it may change.
    const before = waiting.filter(({ label }) => label === 'transaction');
    const among = before.length > 0 && this.random.chance(0.7) ? before : waiting;
    if (among.length === 0) return;
    const { op } = this.random.pick(among);
    op.stalledUntil = this.step + 5 + this.random.below(40);
    this.say(`${nameOf(op)} is held up until step ${op.stalledUntil}`);
  }

  /** Nobody is held up any more. */
  hurry(): void {
    for (const op of this.running) op.stalledUntil = 0;
  }

  /** Lets one go on that has slept enough. @returns whether there was one */
  releaseSleeper(isMeant: (op: Operation) => boolean): boolean {
    const gate = this.#ready().find(({ op, kind }) => kind === 'sleep' && isMeant(op));
    if (!gate) return false;
    this.#take(gate);
    gate.pass('pass');
    return true;
  }

  /** Lets one call pass, fail or take long. @returns whether it may have had an effect */
  releaseOne(): boolean {
    const gate = this.random.pick(this.#ready());
    this.#take(gate);
    const { op, label, kind } = gate;
    const { failBefore, lose, late } = this.rates;
    if ((kind === 'call' || kind === 'read') && this.random.chance(failBefore)) {
      op.disturbed = true;
      this.say(`${nameOf(op)} ${label}: unavailable`);
      gate.fail(unavailable(`${label} failed`));
      return false;
    }
    const verdict = kind !== 'call' ? 'pass' : this.#verdict(lose, late);
    if (verdict === 'lost') op.disturbed = true;
    this.say(`${nameOf(op)} ${label}${verdict === 'pass' ? '' : ` (answer ${verdict})`}`);
    gate.pass(verdict);
    return kind === 'call';
  }

  #verdict(lose: number, late: number): Verdict {
    if (this.random.chance(lose)) return 'lost';
    return this.random.chance(late) ? 'late' : 'pass';
  }

  /** None of the calls of this process returns. */
  kill(process: string): void {
    for (const gate of this.#gates) if (gate.op.process === process) this.#take(gate);
    for (const op of [...this.running]) {
      if (op.process !== process) continue;
      this.running.delete(op);
      for (const tell of op.onDeath) tell();
    }
    this.say(`${process} dies`);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.say(`the clock gains ${ms / 60_000} min`);
  }

  get wallMs(): number {
    return this.nowMs + this.wallLeadMs;
  }

  /** @returns the earliest time of day that anybody can have seen from now until it is called */
  earliestWall(): () => number {
    const beginsMs = this.wallMs;
    const setsBefore = this.#setWalls.length;
    return () => Math.min(beginsMs, ...this.#setWalls.slice(setsBefore));
  }

  /** Somebody sets the time of day, forward or back. */
  setWall(byMs: number): void {
    this.wallLeadMs += byMs;
    this.#setWalls.push(this.wallMs);
    this.say(`the time of day is set by ${byMs / 60_000} min`);
  }

  /** The time until the next sleeper wakes; undefined if nobody sleeps. */
  get sleepersWakeInMs(): number | undefined {
    const ends = this.#gates.flatMap((gate) => (gate.untilMs === undefined ? [] : [gate.untilMs]));
    return ends.length === 0 ? undefined : Math.max(0, Math.min(...ends) - this.nowMs);
  }
}

function nameOf(op: Operation): string {
  return `${op.process} #${op.id} ${op.name}:`;
}

function unavailable(message: string): LazaretError {
  return new LazaretError('unavailable', `injected: ${message}`);
}
