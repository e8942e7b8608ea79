import { assertNever } from '../lib/errors.ts';
import type { BlobStore } from './blob-store.ts';
import { openFilesystemStore } from './filesystem.ts';
import { openMemoryStore } from './memory.ts';

/** Every kind of blob store there is. */
export type BlobStoreConfig =
  | { readonly kind: 'filesystem'; readonly folder: string }
  | { readonly kind: 'memory' };

/**
 * Opens the configured store for `region`. Asynchronous so that a driver with a heavy library can load it here.
 * @throws conflict if the store belongs to another region; unavailable if it can't be reached.
 */
export async function openBlobStore(config: BlobStoreConfig, region: string): Promise<BlobStore> {
  switch (config.kind) {
    case 'filesystem':
      return openFilesystemStore({ folder: config.folder, region });
    case 'memory':
      return openMemoryStore({ region });
    default:
      return assertNever(config);
  }
}
