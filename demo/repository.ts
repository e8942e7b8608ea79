import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this repository is; the people of the demo work here. */
export const repositoryFolder = fileURLToPath(new URL('..', import.meta.url));

/** A path as one types it here. */
export function shortPath(path: string | URL): string {
  return relative(repositoryFolder, typeof path === 'string' ? path : fileURLToPath(path));
}
