import { posix } from 'node:path';
import ts from 'typescript';
import type { ProjectFile } from './project-files.ts';

export interface Import {
  /** As written, such as `../lib/clock.ts` or `node:fs`. */
  readonly specifier: string;
  /** The project's path that a relative specifier means; undefined for a package. */
  readonly target: string | undefined;
  readonly line: number;
  /** Named by `new URL('./x.ts', import.meta.url)`, which starts a thread or process with it and imports nothing. */
  readonly asWorker: boolean;
}

/** `from` imports each of its targets; type imports, re-exports and `import()` included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const workerFile = /new URL\(\s*(['"])(\.[^'"]+\.ts)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

export function importsOf({ path, text }: ProjectFile): readonly Import[] {
  const imported = ts.preProcessFile(text, true, true).importedFiles;
  const found = [
    ...imported.map(({ fileName, pos }) => ({ specifier: fileName, pos, asWorker: false })),
    ...[...text.matchAll(workerFile)].map((match) => ({
      specifier: match[2] ?? '',
      pos: match.index,
      asWorker: true,
    })),
  ];
  return found.map(({ specifier, pos, asWorker }) => ({
    specifier,
    asWorker,
    target: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined,
    line: text.slice(0, pos).split('\n').length,
  }));
}

export function importGraph(
  files: readonly ProjectFile[],
  use: 'with workers' | 'imports only',
): ImportGraph {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ target, asWorker }) =>
        target !== undefined && known.has(target) && !(asWorker && use === 'imports only') ? [target] : [],
      ),
    ]),
  );
}

/** The shortest chain of imports from one of `from` to each file that they reach, themselves included. */
export function chainsFrom(
  graph: ImportGraph,
  from: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>(
    from.filter((path) => graph.has(path)).map((path) => [path, [path]]),
  );
  for (const [path, chain] of chains) // a Map also visits what is added on the way: breadth first
    for (const target of graph.get(path) ?? [])
      if (!chains.has(target)) chains.set(target, [...chain, target]);
  return chains;
}
