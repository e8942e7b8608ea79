import { styleText } from 'node:util';
import { type Moment, timelineText } from './timeline.ts';

/** A check that did not hold. Its message names it; the cause says what was seen. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

export interface Verified {
  readonly name: string;
  readonly tookMs: number;
}

interface Command {
  /** `acme@home`. */
  readonly who: string;
  readonly line: string;
  readonly output: string;
  readonly exitCode: number;
  readonly tookMs: number;
}

/** Tells what is done and what was verified, and remembers both for the timeline. */
export class Narrator {
  readonly verified: Verified[] = [];
  readonly #moments: Moment[] = [];
  readonly #startedAt = Date.now();
  readonly #styled: boolean;
  readonly #signal: AbortSignal;

  /** `signal` interrupts the story: what fails after that says nothing. */
  constructor({ styled, signal }: { readonly styled: boolean; readonly signal: AbortSignal }) {
    this.#styled = styled;
    this.#signal = signal;
  }

  title(text: string): void {
    this.#print(`\n${this.#style('bold', text)}`);
  }

  say(text: string): void {
    this.#print(`  ${text}`);
  }

  /** A chapter of the story, with how long it took and how much was checked in it. */
  async step<T>(number: number, title: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const before = this.verified.length;
    this.#print(`\n${this.#style('bold', `${number}  ${title}`)}`);
    this.#moments.push({ kind: 'chapter', at: Date.now(), what: `${number}  ${title}` });
    const result = await work();
    const count = this.verified.length - before;
    this.#print(
      this.#style('dim', `  ${count} checks held in ${secondsText(performance.now() - startedMs)}`),
    );
    return result;
  }

  /** Holds if `work` does not throw. What `describe` makes of its result is shown behind the name. */
  async check<T>(name: string, work: () => Promise<T> | T, describe?: (result: T) => string): Promise<T> {
    const startedMs = performance.now();
    try {
      const result = await work();
      const tookMs = performance.now() - startedMs;
      this.verified.push({ name, tookMs });
      const detail = describe === undefined ? '' : this.#style('dim', ` · ${describe(result)}`);
      this.#print(
        `  ${this.#style('green', '✓')} ${name}${detail}  ${this.#style('dim', millisText(tookMs))}`,
      );
      return result;
    } catch (cause) {
      this.#signal.throwIfAborted();
      this.#print(`  ${this.#style('red', '✗')} ${name}`);
      throw new CheckFailed(name, { cause });
    }
  }

  command({ who, line, output, exitCode, tookMs }: Command): void {
    const exit = exitCode === 0 ? '' : `, exit ${exitCode}`;
    const aside = this.#style('dim', `(${millisText(tookMs)}${exit})`);
    this.#print(`  ${this.#style('cyan', `${who} $`)} ${line}  ${aside}`);
    for (const text of output.trimEnd().split('\n'))
      if (text !== '') this.#print(`    ${this.#style('dim', '│')} ${text}`);
  }

  /** For the timeline: what happened where, and how long it took. `at` is milliseconds since 1970, now unless told. */
  moment(where: string, what: string, times: { readonly at?: number; readonly tookMs?: number } = {}): void {
    this.#moments.push({ kind: 'moment', where, what, ...times, at: times.at ?? Date.now() });
  }

  timeline(): void {
    this.title('What happened');
    this.#print(timelineText(this.#moments, { startedAt: this.#startedAt, styled: this.#styled }));
  }

  #print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  #style(format: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string): string {
    return this.#styled ? styleText(format, text, { validateStream: false }) : text;
  }
}

export function millisText(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms).toLocaleString('en')} ms` : secondsText(ms);
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
