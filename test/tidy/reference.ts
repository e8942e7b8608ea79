import type { Reference } from '../../scripts/reference.ts';
import type { ProjectFile } from './project-files.ts';

/** Generated documents that are missing or differ from what the code would generate now. */
export function staleReferences(files: readonly ProjectFile[], references: readonly Reference[]): string[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return references
    .filter(({ path, text }) => texts.get(path) !== text())
    .map(
      ({ path }) =>
        `${path}: ${texts.has(path) ? 'differs from the code' : 'is missing'}; run npm run reference`,
    );
}
