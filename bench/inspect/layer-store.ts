import { join } from 'node:path';
import type { BlobKey } from '../../src/blobs/blob-store.ts';
import { type BlobStoreConfig, openBlobStore } from '../../src/blobs/drivers.ts';
import { keyInTime } from '../../src/lib/random.ts';

export const region = 'bench';

/** Of a blob store that layers are put into for workers to read. */
export function storeIn(folder: string): BlobStoreConfig {
  return { kind: 'filesystem', folder: join(folder, 'layers') };
}

export async function layersStored(
  config: BlobStoreConfig,
  layers: Iterable<AsyncIterable<Uint8Array>>,
): Promise<BlobKey[]> {
  const store = await openBlobStore(config, region);
  try {
    const keys: BlobKey[] = [];
    for (const layer of layers) {
      const key = keyInTime(Date.now());
      await store.append(key, 0, layer);
      await store.commit(key);
      keys.push(key);
    }
    return keys;
  } finally {
    await store.close();
  }
}
