import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../src/oci/digest.ts';

/** A region of the demo: a server process with a data folder of its own. */
export interface Region {
  readonly name: string;
  readonly url: string;
  readonly dataFolder: string;
  readonly blobFolder: string;
}

/** The files in a region's blob store that are these bytes, found by reading them: the names say nothing. */
export async function storedCopies(
  region: Region,
  { digest, size }: { readonly digest: string; readonly size: number },
): Promise<string[]> {
  const names = await readdir(join(region.blobFolder, 'blobs'), { recursive: true });
  const found: string[] = [];
  for (const name of names) {
    const path = join(region.blobFolder, 'blobs', name);
    // A file may be collected between two looks.
    const file = await stat(path).catch(() => undefined);
    if (!file?.isFile() || file.size !== size) continue;
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes !== undefined && digestOf(bytes) === digest) found.push(path);
  }
  return found;
}

/** While `work` runs, the region has no blob folder, so that even root can't read one. */
export async function withoutBlobs<T>(region: Region, work: () => Promise<T>): Promise<T> {
  const elsewhere = `${region.blobFolder}-out-of-reach`;
  await rename(region.blobFolder, elsewhere);
  try {
    return await work();
  } finally {
    await rename(elsewhere, region.blobFolder);
  }
}
