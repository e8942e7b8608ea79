import { createInProcessInspector, type Inspector } from '../actions/inspect/inspector.ts';
import { createInspectPool } from '../actions/inspect/pool.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { extractors } from '../layers/extractors/list.ts';
import type { Clock } from '../lib/clock.ts';
import type { Foreground } from '../lib/foreground.ts';
import { clamdEngine } from '../outbound/clamd.ts';
import type { Config } from './config/config.ts';

/** Threads that open the configured store for themselves; a store that only this thread has is read by this thread. */
export function openInspector(
  config: Pick<Config, 'blobs' | 'dataFolder' | 'inspection' | 'region'>,
  own: {
    readonly blobs: BlobStore;
    readonly given: boolean;
    readonly clock: Clock;
    readonly foreground: Foreground;
  },
): Inspector {
  const { clock, foreground } = own;
  const { clamav, workers: size } = config.inspection;
  // A layer's files may be large, and the folder for temporary files small, or memory.
  const spoolFolder = config.dataFolder;
  if (own.given || config.blobs.kind === 'memory')
    return createInProcessInspector({
      store: own.blobs,
      extractors,
      clock,
      spoolFolder,
      malware: clamav && clamdEngine(clamav),
    });
  const { region, blobs: blobStore } = config;
  return createInspectPool({ size, blobStore, region, clock, foreground, spoolFolder, clamav });
}
