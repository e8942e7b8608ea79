import { Worker } from 'node:worker_threads';

/** Commits between two checkpoints. */
const commitsEach = 64;

/**
 * Brings SQLite's write-ahead log into the file from a thread of its own. SQLite itself would do it inside a commit, on
 * the event loop: thousands of pages that lie far apart in a large file, and two flushes. A passive checkpoint makes no
 * one wait; what is left while commits go on without a pause, the writer brings in once its log is `logPagesMax` long.
 */
export class Checkpointer {
  readonly #file: string;
  #worker: Worker | undefined;
  #commits = 0;
  #busy = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** The thread is started when it is first needed. */
  committed(): void {
    this.#commits += 1;
    if (this.#busy || this.#commits < commitsEach) return;
    this.#commits = 0;
    this.#busy = true;
    this.#started().postMessage(null);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./sqlite-checkpoint-worker.ts', import.meta.url), {
      workerData: this.#file,
    });
    worker.unref();
    worker.on('message', () => {
      this.#busy = false;
    });
    // Nothing is lost without it: the writer's own checkpoints go on, and the next one starts another thread.
    worker.on('error', () => {
      this.#worker = undefined;
      this.#busy = false;
    });
    this.#worker = worker;
    return worker;
  }
}

/** 64 MiB: the writer's own checkpoint, should the thread not keep up. */
export const logPagesMax = 16_384;
