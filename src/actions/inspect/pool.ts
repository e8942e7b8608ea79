/**
 * Worker threads that inspect layers. At most `size`, each started when a job finds none idle, kept for `idleMs` after
 * its last job, then ended. A worker serves one job at a time; further jobs wait their turn in order of asking.
 *
 * How a job ends, and what becomes of its worker:
 * - summary given, or the blob store failed → the worker is idle.
 * - the worker crashed (out of memory, a defect) → the job fails with `internal`; the next job gets a fresh worker.
 * - its reader left early, aborted, or the pool closed → the worker is ended, since it may be anywhere.
 * - it answers nothing for longer than a layer may take (an extractor that loops) → the worker is ended and the layer
 *   is *unknown*: another try would end the same way.
 */
import assert from 'node:assert/strict';
import type { BlobStoreConfig } from '../../blobs/drivers.ts';
import { extractors } from '../../layers/extractors/list.ts';
import type { InventoryPart } from '../../layers/inventory.ts';
import { type LayerLimits, layerLimits } from '../../layers/layer-problem.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import { type ClamdConfig, clamdEngine } from '../../outbound/clamd.ts';
import { nobodyBusy, tellBusy } from './give-way.ts';
import { extractorVersions, type InspectOptions, type Inspector, inspectorClosed } from './inspector.ts';
import { PoolWorker } from './pool-worker.ts';

export interface InspectPoolOptions {
  /** Threads at most. */
  readonly size: number;
  /** Each worker opens it for itself, so not a memory store: that lives in one thread. */
  readonly blobStore: BlobStoreConfig;
  readonly region: string;
  readonly clock: Clock;
  /** To whom workers give way. */
  readonly foreground?: Pick<Foreground, 'isBusy'>;
  readonly limits?: LayerLimits;
  /** Where large files of a layer may lie while it is read. */
  readonly spoolFolder?: string;
  /** Where clamd is, if malware is looked for. */
  readonly clamav?: ClamdConfig | undefined;
  /** How long a worker without a job is kept. */
  readonly idleMs?: number;
  /** The module that the threads run; tests give one that misbehaves. */
  readonly worker?: URL;
}

export function createInspectPool(options: InspectPoolOptions): Inspector {
  assert(options.blobStore.kind !== 'memory', 'a memory store needs createInProcessInspector');
  return new InspectPool(options);
}

class InspectPool implements Inspector {
  readonly extractors: Inspector['extractors'];
  readonly malware: Inspector['malware'];
  readonly #options: InspectPoolOptions;
  readonly #limits: LayerLimits;
  readonly #module: URL;
  readonly #busy = nobodyBusy();
  /** Every worker that runs, with what ends its waiting while it is idle. */
  readonly #workers = new Set<PoolWorker>();
  readonly #idle = new Map<PoolWorker, AbortController>();
  readonly #turns: { go: () => void; refuse: (reason: unknown) => void }[] = [];
  #jobs = 0;
  #closed = false;

  constructor(options: InspectPoolOptions) {
    this.#options = options;
    this.malware = options.clamav && clamdEngine(options.clamav);
    this.extractors = extractorVersions(extractors, { malware: options.clamav !== undefined });
    this.#limits = options.limits ?? layerLimits;
    this.#module = options.worker ?? new URL('./worker.ts', import.meta.url);
  }

  async *inspect(key: string, options: InspectOptions = {}): AsyncGenerator<InventoryPart> {
    await this.#turn(options.signal);
    let worker: PoolWorker | undefined;
    let endedByItself = false;
    try {
      options.signal?.throwIfAborted();
      worker = this.#take();
      yield* this.#watched(worker, key, options);
      endedByItself = true;
    } catch (error) {
      // A failure that the worker reported, and that it has therefore survived.
      endedByItself = worker?.usable === true && error instanceof LazaretError && !options.signal?.aborted;
      throw error;
    } finally {
      if (worker !== undefined) await this.#giveBack(worker, endedByItself);
      this.#pass();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const turn of this.#turns.splice(0)) turn.refuse(inspectorClosed());
    await Promise.all([...this.#workers].map((worker) => this.#end(worker, inspectorClosed())));
  }

  /** Resolves when fewer than `size` jobs are running, with this one counted. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw inspectorClosed();
    if (this.#jobs >= this.#options.size) await this.#wait(signal);
    else this.#jobs += 1;
  }

  /** This job's place goes to the one that waits longest, without being free in between. */
  #pass(): void {
    const next = this.#turns.shift();
    if (next === undefined) this.#jobs -= 1;
    else next.go();
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = { go: resolve, refuse: reject };
      this.#turns.push(turn);
      signal?.addEventListener(
        'abort',
        () => {
          const at = this.#turns.indexOf(turn);
          if (at !== -1) this.#turns.splice(at, 1);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  #take(): PoolWorker {
    if (this.#closed) throw inspectorClosed();
    for (const [worker, waiting] of this.#idle) {
      this.#idle.delete(worker);
      waiting.abort();
      if (worker.usable) return worker;
      this.#workers.delete(worker);
    }
    const { blobStore, region, spoolFolder, clamav } = this.#options;
    const setup = { blobStore, region, limits: this.#limits, spoolFolder, clamav, busy: this.#busy };
    const worker = new PoolWorker(this.#module, setup);
    this.#workers.add(worker);
    return worker;
  }

  /** The worker's parts, while the caller's signal and the time are watched from outside the thread. */
  async *#watched(worker: PoolWorker, key: string, options: InspectOptions): AsyncGenerator<InventoryPart> {
    const { signal, ...how } = options;
    const done = new AbortController();
    const patienceMs = this.#limits.layerInspectMs + limits.layerStuckMs;
    let stuck = false;
    const onAbort = () =>
      void this.#end(worker, new LazaretError('unavailable', 'the inspection was called off'));
    const watch = this.#options.clock.sleep(patienceMs, done.signal).then(() => {
      if (done.signal.aborted) return undefined;
      stuck = true;
      return this.#end(worker, new LazaretError('unavailable', 'the inspection takes too long'));
    });
    const { foreground, clock } = this.#options;
    const told = foreground && tellBusy(this.#busy, { foreground, clock }, done.signal);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      yield* worker.inspect(key, how);
    } catch (error) {
      signal?.throwIfAborted();
      if (!stuck) throw error;
      yield stuckSummary(patienceMs);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      done.abort();
      await Promise.all([watch, told]);
    }
  }

  async #giveBack(worker: PoolWorker, endedByItself: boolean): Promise<void> {
    if (!worker.usable || !endedByItself || this.#closed) return this.#end(worker, inspectorClosed());
    const waiting = new AbortController();
    this.#idle.set(worker, waiting);
    void this.#endWhenIdle(worker, waiting.signal);
  }

  async #endWhenIdle(worker: PoolWorker, taken: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(this.#options.idleMs ?? limits.inspectIdleMs, taken);
    if (!taken.aborted) await this.#end(worker, inspectorClosed());
  }

  async #end(worker: PoolWorker, reason: LazaretError): Promise<void> {
    this.#idle.get(worker)?.abort();
    this.#idle.delete(worker);
    this.#workers.delete(worker);
    await worker.end(reason);
  }
}

function stuckSummary(ms: number): InventoryPart {
  const reason = `time over: the worker was still busy after ${ms} ms and was ended`;
  return {
    kind: 'summary',
    summary: { state: 'unknown', reason, uncompressedBytes: 0, entries: 0, extractions: [] },
  };
}
