import type { ByteSource } from '../../lib/streams.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestAlgorithm } from '../../oci/digest.ts';

/** Files under relative paths, in a folder or in an archive. */
export interface SourceFiles {
  /** @returns the bytes of a file, links followed; undefined where there is none */
  sizeOf(path: string): Promise<number | undefined>;
  /** From `offset` to the end. @throws blobUnknown where there is none; unavailable */
  read(path: string, offset?: number): Promise<ByteSource>;
  close(): Promise<void>;
}

/** image-layout.md */
export const layoutMarkerFile = 'oci-layout';
export const layoutIndexFile = 'index.json';

export function layoutBlobPath(digest: Digest): string {
  const algorithm = digestAlgorithm(digest);
  return `blobs/${algorithm}/${digest.slice(algorithm.length + 1)}`;
}
