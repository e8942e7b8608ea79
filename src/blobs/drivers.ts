import { assertNever } from '../lib/errors.ts';
import type { BlobStore } from './blob-store.ts';
import { openFilesystemStore } from './filesystem.ts';
import { openMemoryStore } from './memory.ts';
import type { S3Config } from './s3-config.ts';

/** Every kind of blob store there is. */
export type BlobStoreConfig =
  | { readonly kind: 'filesystem'; readonly folder: string }
  | ({ readonly kind: 's3' } & S3Config)
  | { readonly kind: 'memory' };

/**
 * Opens the configured store for `region`. S3's library is loaded only where it is configured: it costs start-up time and
 * memory.
 * @throws conflict if the store belongs to another region; unavailable if it can't be reached.
 */
export async function openBlobStore(config: BlobStoreConfig, region: string): Promise<BlobStore> {
  switch (config.kind) {
    case 'filesystem':
      return openFilesystemStore({ folder: config.folder, region });
    case 's3': {
      const { openS3Store } = await import('./s3.ts');
      return openS3Store({ config, region });
    }
    case 'memory':
      return openMemoryStore({ region });
    default:
      return assertNever(config);
  }
}
