/**
 * A file of the product is alive when the executable reaches it by imports or names it as a worker's file; being used
 * by a test only keeps nothing alive. A contract suite is alive when a test reaches it; so is what helps the tests.
 */
import { chainsFrom, importGraph } from './imports.ts';
import { isSuite, isTest, type ProjectFile, productFiles } from './project-files.ts';

const executables = /^src\/bin\/[^/]+\.ts$/;
const testEntries =
  /^(vitest\.config|test\/support\/(global-setup|worker-setup)|test\/(simulation|soak)\/main)\.ts$/;

export function deadFiles(files: readonly ProjectFile[]): string[] {
  const paths = files.map(({ path }) => path).filter((path) => path.endsWith('.ts'));
  const graph = importGraph(
    files.filter(({ path }) => path.endsWith('.ts')),
    'with workers',
  );
  const starts = paths.filter((path) => executables.test(path) && !isTest(path));
  const fromExecutable = chainsFrom(graph, starts);
  const elsewhere = (path: string) =>
    isTest(path) || testEntries.test(path) || /^(bench|demo|scripts)\//.test(path);
  const fromTests = chainsFrom(graph, paths.filter(elsewhere));
  // What declares a library's types is not imported.
  const product = productFiles(files)
    .map(({ path }) => path)
    .filter((path) => !path.endsWith('.d.ts'));
  if (starts.length === 0 && product.length > 0)
    return ['src/bin: there is no executable, so all of src is dead'];
  const helpers = paths.filter((path) => isSuite(path) || path.startsWith('test/'));
  return [
    ...product
      .filter((path) => !fromExecutable.has(path))
      .map((path) => `${path}: nothing leads to it from src/bin`),
    ...helpers.filter((path) => !fromTests.has(path)).map((path) => `${path}: no test leads to it`),
  ];
}
