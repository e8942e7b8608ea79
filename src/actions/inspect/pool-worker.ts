import { Worker } from 'node:worker_threads';
import type { InventoryPart } from '../../layers/inventory.ts';
import { type ErrorCode, LazaretError } from '../../lib/errors.ts';
import type { InspectHow } from './inspector.ts';
import type { WorkerSetup } from './worker.ts';
import { type FromWorker, type ToWorker, unpackPart } from './worker-messages.ts';

const heapMegabytesMax = 512;
/** Of it for what is young: V8 would take three times as much, and no time is won by it. */
const youngMegabytesMax = 16;

/** The pool's end of one worker thread. Usable until it fails or is ended, then never again. */
export class PoolWorker {
  readonly #worker: Worker;
  readonly #messages: FromWorker[] = [];
  #failure: LazaretError | undefined;
  #wake: (() => void) | undefined;

  constructor(module: URL, setup: WorkerSetup) {
    this.#worker = new Worker(module, {
      workerData: setup,
      resourceLimits: {
        maxOldGenerationSizeMb: heapMegabytesMax,
        maxYoungGenerationSizeMb: youngMegabytesMax,
      },
    });
    this.#worker.on('message', (message: FromWorker) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    this.#worker.on('error', (cause) =>
      this.#fail('internal', `the inspecting worker crashed: ${cause.message}`, cause),
    );
    this.#worker.on('exit', (code) =>
      this.#fail('internal', `the inspecting worker ended with exit code ${code}`),
    );
    this.#worker.unref();
  }

  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** One job. @throws what ended it; the worker is still usable only if it ended by itself. */
  async *inspect(key: string, how: InspectHow): AsyncGenerator<InventoryPart> {
    // A process must not end while it waits for this thread, and must not stay for an idle one.
    this.#worker.ref();
    try {
      this.#send({ kind: 'inspect', key, how });
      for (;;) {
        const message = await this.#next();
        if (message.kind === 'failed') throw new LazaretError(message.code, message.message);
        if (message.kind === 'end') return;
        this.#send({ kind: 'more' });
        yield unpackPart(message.part);
      }
    } finally {
      this.#worker.unref();
    }
  }

  /** Ends the thread at once, also in the midst of a loop; a running job fails with `reason`. */
  async end(reason: LazaretError): Promise<void> {
    this.#failure ??= reason;
    this.#wake?.();
    await this.#worker.terminate();
  }

  async #next(): Promise<FromWorker> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #fail(code: ErrorCode, message: string, cause?: unknown): void {
    this.#failure ??= new LazaretError(code, message, { cause });
    this.#wake?.();
  }
}
