import { chainsFrom, importGraph } from './imports.ts';
import type { ProjectFile } from './project-files.ts';

/** The shortest circle of imports through each file that is in one; each circle is told once. */
export function importCircles(files: readonly ProjectFile[]): string[] {
  const graph = importGraph(files, 'imports only');
  const circles = new Map<string, string>();
  for (const [path, targets] of graph) {
    const chains = chainsFrom(graph, targets);
    const back = targets.includes(path) ? [path] : chains.get(path);
    if (back === undefined) continue;
    const key = [...new Set([path, ...back])].sort().join();
    if (!circles.has(key)) circles.set(key, [path, ...back].join(' → '));
  }
  return [...circles.values()];
}
