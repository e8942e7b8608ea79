import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { checked } from '../../src/contract/check.ts';
import { LoadResult, type LoadTarget, type LoadWork } from './load-jobs.ts';

/** The load process, seen from the benchmark. */
export class Load implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)));
    this.#signal = signal;
  }

  /** Does one thing; wait for it before the next. @throws Error with what went wrong there */
  async done(target: LoadTarget, work: LoadWork): Promise<LoadResult> {
    this.#signal.throwIfAborted();
    this.#child.send({ target, work });
    const waiting = new AbortController();
    const signal = AbortSignal.any([this.#signal, waiting.signal]);
    try {
      const [answer]: unknown[] = await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(() => ['the load process ended']),
      ]);
      if (typeof answer === 'string') throw new Error(`${work.kind}: ${answer}`);
      return await checked(LoadResult, answer, { where: work.kind });
    } finally {
      waiting.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL'); // it has nothing to tidy up, and may be in the middle of something
    await once(this.#child, 'exit');
  }
}
