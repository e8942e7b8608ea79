/**
 * Whether a layer that an older list of extractors has read to its end need not be read again: those that are newer decide
 * by the header of a file whether they want it, the headers of all its files were written down, and they want none.
 */
import type { Database } from '../../records/db/database.ts';
import { extractorsAhead } from '../../records/inventory/inventory-versions.ts';
import { extractionsDone, type FileHeader, layerFileHeaders } from '../../records/inventory/layer-renew.ts';
import type { ReadingExtractor } from './inspector.ts';

export interface ReadBefore {
  readonly blobId: number;
  readonly state: string;
  readonly version: number;
}

/** @returns the newer ones if they would find nothing in it */
export async function newerFindNothing(
  database: Database,
  { blobId, state, version }: ReadBefore,
  extractors: readonly ReadingExtractor[],
): Promise<readonly ReadingExtractor[] | undefined> {
  const newer = await extractorsAhead(database.read, version, extractors);
  const asked = newer.flatMap(({ wants }) => wants ?? []);
  if (state !== 'done' || asked.length < newer.length) return undefined;
  if (!(await extractionsDone(database, blobId, newer))) return undefined;
  for await (const files of layerFileHeaders(database, blobId))
    if (files.some((file) => asked.some((wants) => mayWant(wants, file)))) return undefined;
  return newer;
}

function mayWant(wants: (file: FileHeader) => boolean, file: FileHeader): boolean {
  try {
    return wants(file);
  } catch {
    return true; // the reading says what is wrong with it
  }
}
