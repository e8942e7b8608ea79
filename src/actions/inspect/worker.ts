/** One thread that reads layers for the pool, one at a time, from a blob store that it opens itself. */
import assert from 'node:assert/strict';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type BlobStoreConfig, openBlobStore } from '../../blobs/drivers.ts';
import { extractors } from '../../layers/extractors/list.ts';
import type { LayerLimits } from '../../layers/layer-problem.ts';
import { systemClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { type ClamdConfig, clamdEngine } from '../../outbound/clamd.ts';
import { type Busy, restsOf } from './give-way.ts';
import { createInProcessInspector, type InspectHow } from './inspector.ts';
import { type FromWorker, packError, packPart, partsAhead, type ToWorker } from './worker-messages.ts';

export interface WorkerSetup {
  readonly blobStore: BlobStoreConfig;
  readonly region: string;
  readonly limits: LayerLimits;
  readonly spoolFolder: string | undefined;
  readonly clamav: ClamdConfig | undefined;
  readonly busy: Busy;
}

assert(parentPort, 'runs as a worker thread only');
// Whoever pushes or pulls comes first. Linux has a priority for each thread; elsewhere it would be the whole process's.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// What a layer unpacks to gives its memory back when it was looked at, which buffers that share theirs can't.
Buffer.poolSize = limits.inspectBufferPoolBytes;
const port = parentPort;
const setup: WorkerSetup = workerData;
const rest = restsOf(setup.busy);
let opened: Promise<BlobStore> | undefined;
let credit = partsAhead;
let wake: (() => void) | undefined;

port.on('message', (message: ToWorker) => {
  if (message.kind === 'more') {
    credit += 1;
    wake?.();
  } else {
    credit = partsAhead;
    inspect(message.key, message.how).catch((error) => port.postMessage(packError(error)));
  }
});

async function inspect(key: string, how: InspectHow): Promise<void> {
  const inspector = createInProcessInspector({
    store: await store(),
    extractors,
    clock: systemClock,
    rest,
    limits: setup.limits,
    malware: setup.clamav && clamdEngine(setup.clamav),
    ...(setup.spoolFolder === undefined ? {} : { spoolFolder: setup.spoolFolder }),
  });
  for await (const part of inspector.inspect(key, how)) {
    if (credit === 0) await new Promise<void>((resolve) => (wake = resolve));
    credit -= 1;
    const { packed, transfer } = packPart(part);
    const message: FromWorker = { kind: 'part', part: packed };
    port.postMessage(message, transfer);
  }
  const message: FromWorker = { kind: 'end' };
  port.postMessage(message);
}

/** Opened at the first job; tried again at the next when that failed. */
function store(): Promise<BlobStore> {
  opened ??= openBlobStore(setup.blobStore, setup.region).catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}
