import { Readable } from 'node:stream';
import { inspectLayer } from '../../src/actions/inspect/inspect-layer.ts';
import { inspectTask } from '../../src/actions/inspect/inspect-task.ts';
import { createInProcessInspector, type Inspector } from '../../src/actions/inspect/inspector.ts';
import {
  type InspectionStatus,
  inspectionStatus,
  reinspectTask,
} from '../../src/actions/inspect/reinspect.ts';
import { type ImportAnswer, importFeed } from '../../src/actions/match/import-feed.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import type { Extractor } from '../../src/layers/extractor.ts';
import { extractors } from '../../src/layers/extractors/list.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { LazaretError } from '../../src/lib/errors.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { blobKeep } from '../../src/records/catalog/blobs.ts';
import { manifestKeep, type NewEdge } from '../../src/records/catalog/manifests.ts';
import { imageWant, inspectionsWant } from '../../src/records/catalog/wanted-inspections.ts';
import type { Database, Tx } from '../../src/records/db/database.ts';
import { KnownIds } from '../../src/records/inventory/known-ids.ts';
import { rereadPriority } from '../../src/records/inventory/stale-layers.ts';
import { jobClaim } from '../../src/records/jobs/jobs.ts';
import { logRead } from '../../src/records/log/log.ts';
import type { EngineWorld } from './engines.ts';
import { buildImage, type Content, content, type Layer } from './oci-layout.ts';

/** Images are put into the rows and the store as a push leaves them; then the inspection does its work. */
export interface InventoryWorld extends AsyncDisposable {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly inspector: FailingInspector;
  /** @returns the manifest's id */
  push(image: PushedImage): Promise<number>;
  brokenLayer(of: BrokenLayer): Promise<TestLayer>;
  drain(): Promise<void>;
  /** Another process takes over, which reads with these extractors. */
  restart(extractors?: readonly Extractor[]): void;
  /** Asks for stale layers, and reads none. */
  findStale(): Promise<void>;
  /** Reads the layers that are asked for, and makes no view of their images. */
  readLayers(): Promise<void>;
  status(): Promise<InspectionStatus>;
  import(documents: unknown, options?: { source?: string; file?: string }): Promise<ImportAnswer>;
  events(type: string): Promise<Readonly<Record<string, unknown>>[]>;
  jobs(): Promise<string[]>;
}

export interface TestLayer extends Layer {
  /** Not pushed. */
  readonly missing?: boolean;
}

export interface PushedImage {
  readonly layers: readonly TestLayer[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** What the config says the layers are. */
  readonly claimed?: readonly Digest[];
  readonly configBytes?: Uint8Array;
}

export interface BrokenLayer {
  readonly bytes?: Uint8Array;
  readonly mediaType?: string;
  readonly missing?: boolean;
}

/** Like a thread that dies: after this many parts. */
export interface FailingInspector {
  failAfterParts: number | undefined;
}

export async function inventoryWorld(engines: EngineWorld): Promise<InventoryWorld> {
  const clock = new ManualClock();
  const database = await engines.open({ clock });
  const blobs = await openMemoryStore({ region: 'home' });
  const inspector: FailingInspector = { failAfterParts: undefined };
  const start = (list: readonly Extractor[]) => {
    const real = createInProcessInspector({ store: blobs, extractors: list, clock });
    const deps = { database, blobs, clock, inspector: failing(real, inspector), workers: 2 };
    return { deps, inspect: inspectTask(deps), reinspect: reinspectTask(deps) };
  };
  let server = start(extractors);
  const claim = () => jobClaim(server.deps, { kind: 'inspect', priorityMin: rereadPriority }, 'test');
  return {
    database,
    clock,
    inspector,
    restart: (list = extractors) => {
      server = start(list);
    },
    readLayers: async () => {
      const pathIds = new KnownIds(1_000);
      for (let job = await claim(); job; job = await claim())
        await inspectLayer({ ...server.deps, pathIds }, job, new AbortController().signal);
    },
    findStale: async () => void (await server.reinspect.run(new AbortController().signal)),
    status: () => inspectionStatus(server.deps),
    push: (image) => push({ database, blobs }, image),
    brokenLayer: async ({ bytes = new Uint8Array(0), mediaType, missing = false }) => {
      const type = missing ? mediaTypes.ociNonDistributableGzip : mediaTypes.ociLayer;
      const made = content(mediaType ?? type, bytes);
      return { ...made, diffId: made.digest, missing };
    },
    drain: async () => {
      const { signal } = new AbortController();
      for (let round = 0; round < 100; round++) {
        const stale = await server.reinspect.run(signal);
        const asked = await server.inspect.run(signal);
        if (stale === 'idle' && asked === 'idle') return;
      }
      throw new Error('the inspection found no end');
    },
    import: (documents, { source = 'test', file } = {}) =>
      importFeed(
        { database, clock },
        { source, file, actor: 'jo', documents: Readable.from([bytesOf(documents)]) },
      ),
    events: async (type) => {
      const events = await logRead(database.read, { after: 0, limit: 1_000 });
      return events.filter((event) => event.type === type).map((event) => event.data);
    },
    jobs: async () => (await database.read.selectFrom('jobs').select('key').execute()).map((row) => row.key),
    [Symbol.asyncDispose]: () => blobs.close(),
  };
}

function bytesOf(documents: unknown): Buffer {
  if (documents instanceof Uint8Array) return Buffer.from(documents);
  return Buffer.from(typeof documents === 'string' ? documents : JSON.stringify(documents));
}

function failing(real: Inspector, state: FailingInspector): Inspector {
  return {
    extractors: real.extractors,
    close: () => real.close(),
    async *inspect(key, options) {
      let parts = 0;
      for await (const part of real.inspect(key, options)) {
        if (parts++ === state.failAfterParts) throw new LazaretError('internal', 'the thread ended');
        yield part;
      }
    },
  };
}

async function push(
  { database, blobs }: { database: Database; blobs: BlobStore },
  { layers, config = {}, claimed, configBytes }: PushedImage,
): Promise<number> {
  const named = claimed
    ? layers.map((layer, at) => ({ ...layer, diffId: claimed[at] ?? layer.diffId }))
    : layers;
  const image = buildImage({ layers: named, config });
  const configBlob = configBytes === undefined ? image.config : content(image.config.mediaType, configBytes);
  const stored = new Map<string, string>();
  for (const part of [configBlob, ...layers.filter((layer) => layer.missing !== true)])
    stored.set(part.digest, await store(blobs, part));
  return database.transact((tx) =>
    keepRows(tx, { image: image.manifest, config: configBlob, layers: named, stored }),
  );
}

let lastKey = 0;

async function store(blobs: BlobStore, part: Content): Promise<string> {
  lastKey += 1;
  const key = lastKey.toString(16).padStart(32, '0');
  await blobs.append(key, 0, Readable.from([part.bytes]));
  await blobs.commit(key);
  return key;
}

interface Pushed {
  readonly image: Content;
  readonly config: Content;
  readonly layers: readonly TestLayer[];
  readonly stored: ReadonlyMap<string, string>;
}

async function keepRows(tx: Tx, { image, config, layers, stored }: Pushed): Promise<number> {
  const wanted = [];
  for (const part of [config, ...layers]) {
    const storageKey = stored.get(part.digest);
    if (storageKey === undefined) continue;
    const { blob } = await blobKeep(tx, {
      sha256: part.digest,
      sha512: undefined,
      sizeBytes: part.size,
      storageKey,
    });
    if (part !== config) wanted.push({ blobId: blob.id, digest: part.digest, mediaType: part.mediaType });
  }
  const edge = (kind: NewEdge['kind'], part: Content): NewEdge => ({
    kind,
    digest: part.digest,
    mediaType: part.mediaType,
    sizeBytes: part.size,
  });
  const id = await manifestKeep(tx, {
    digest: image.digest,
    sha512: undefined,
    kind: 'image',
    mediaType: image.mediaType,
    artifactType: undefined,
    platform: undefined,
    body: image.bytes,
    annotations: {},
    edges: [
      edge('config', config),
      ...layers.map((layer) => ({ ...edge('layer', layer), diffId: layer.diffId })),
    ],
  });
  await inspectionsWant(tx, wanted);
  await imageWant(tx, id, { state: 'pending' });
  return id;
}
