import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A text file of the project; `path` is relative to its root, with slashes. Every checker is a function of these. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What is made on the machine and ignored by git, and the fixtures, which are others' bytes. */
const skippedNames = new Set([
  'node_modules',
  '.git',
  '.tools',
  '.lazaret',
  'lazaret-data',
  'coverage',
  'fixtures',
]);
const skippedExtensions = /\.(log|tgz|tar|gz|zst|png|deb|db)$/;

/** Every text file that belongs to the project, by path. Walks the folders, so that it works without git. */
export function projectFiles(): readonly ProjectFile[] {
  return [...walk('')].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Suites that all drivers of an interface must pass are named `…-contract.ts`; only tests import them. */
export function isSuite(path: string): boolean {
  return path.endsWith('-contract.ts');
}

/** The code of the product: TypeScript under src without its tests. */
export function productFiles(files: readonly ProjectFile[]): readonly ProjectFile[] {
  return files.filter(
    ({ path }) => path.startsWith('src/') && path.endsWith('.ts') && !isTest(path) && !isSuite(path),
  );
}

function* walk(folder: string): Generator<ProjectFile> {
  for (const entry of readdirSync(join(projectRoot, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    // In a second work tree of git `.git` is a file.
    if (skippedNames.has(entry.name)) continue;
    if (entry.isDirectory()) yield* walk(path);
    if (!entry.isFile() || skippedExtensions.test(entry.name)) continue;
    const text = readFileSync(join(projectRoot, path), 'utf8');
    if (!text.includes('\0')) yield { path, text };
  }
}

/** For a test that parses all files of the project: a busy machine takes its time. */
export const whole = { timeout: 180_000 } as const;
