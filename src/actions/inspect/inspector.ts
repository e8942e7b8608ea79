import type { BlobKey, BlobStore } from '../../blobs/blob-store.ts';
import type { EntryHeader, Extractor } from '../../layers/extractor.ts';
import type { InventoryPart } from '../../layers/inventory.ts';
import type { LayerLimits } from '../../layers/layer-problem.ts';
import { secretsExtractor } from '../../layers/layer-secrets.ts';
import { type MalwareEngine, malwareExtractor, malwareVersion } from '../../layers/malware.ts';
import { readLayerParts } from '../../layers/read-layer.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { ExtractorVersion } from '../../records/inventory/inventory-versions.ts';
import type { FingerprintKey } from '../../secrets/fingerprint.ts';
import { secretsVersion } from '../../secrets/kinds.ts';

/** Reads layers from a blob store. Two kinds: `createInspectPool` (worker threads), `createInProcessInspector`. */
export interface Inspector {
  /** What it reads with. */
  readonly extractors: readonly ReadingExtractor[];
  /**
   * The inventory of the layer under `key`, in parts that end with the summary (see InventoryPart). No faster than it
   * is read, so that memory stays bounded; leaving the loop early ends the reading.
   * @throws storeMissing, unavailable (the blob store); internal (a worker crashed: worth another try); the signal's reason.
   */
  inspect(key: BlobKey, options?: InspectOptions): AsyncIterable<InventoryPart>;
  /** Looks for malware, if anything does. */
  readonly malware?: Pick<MalwareEngine, 'answers'> | undefined;
  /** Ends what is being read: its loops fail with `unavailable`. */
  close(): Promise<void>;
}

export interface ReadingExtractor extends ExtractorVersion {
  /** undefined: it may want any file. */
  readonly wants?: Extractor['wants'];
}

/** What the reading is told beside where the layer is; it goes to worker threads as it is. */
export interface InspectHow {
  /** As the manifest states it, if one does. */
  readonly mediaType?: string;
  /** For secrets, which are not looked for without it. */
  readonly fingerprintKey?: FingerprintKey;
}

export interface InspectOptions extends InspectHow {
  readonly signal?: AbortSignal;
}

export interface InProcessInspectorOptions {
  readonly store: BlobStore;
  readonly extractors: readonly Extractor[];
  readonly clock: Clock;
  readonly limits?: LayerLimits;
  /** Where large files of a layer may lie while it is read. */
  readonly spoolFolder?: string;
  readonly malware?: MalwareEngine | undefined;
  /** Called between two pieces of a layer; may hold the thread up. */
  readonly rest?: () => void;
}

/** Reads in this thread, which it keeps busy: for stores that live in one thread's memory, and for tests. */
export function createInProcessInspector(options: InProcessInspectorOptions): Inspector {
  const { store, ...reading } = options;
  const closing = new AbortController();
  return {
    malware: options.malware,
    extractors: extractorVersions(options.extractors, { malware: options.malware !== undefined }),
    async *inspect(key, { mediaType, fingerprintKey, signal } = {}) {
      const either = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      either.throwIfAborted();
      const { stream, disposable } = await store.read(key, undefined, either);
      try {
        yield* readLayerParts(stream, {
          ...reading,
          disposable,
          signal: either,
          ...(mediaType === undefined ? {} : { mediaType }),
          ...(fingerprintKey === undefined ? {} : { fingerprintKey }),
        });
      } finally {
        // What is no file system by its type is not read at all, and would stay open.
        await stream[Symbol.asyncIterator]().return?.();
      }
    },
    async close() {
      closing.abort(inspectorClosed());
    },
  };
}

/** With the searches for secrets and, where there is an engine, for malware, whose results are among theirs. */
export function extractorVersions(
  extractors: readonly Extractor[],
  looksFor: { readonly malware: boolean },
): readonly ReadingExtractor[] {
  return [
    ...extractors.map((one) => ({
      name: one.name,
      version: one.version,
      wants: (entry: EntryHeader) => one.wants(entry),
    })),
    { name: secretsExtractor, version: secretsVersion },
    ...(looksFor.malware ? [{ name: malwareExtractor, version: malwareVersion }] : []),
  ];
}

export function inspectorClosed(): LazaretError {
  return new LazaretError('unavailable', 'the inspection is being shut down');
}
