import { expect, test } from 'vitest';
import { deadFiles } from './dead-files.ts';
import { projectFiles } from './project-files.ts';

test('every file is reached from the executable or, if it helps tests, from a test', () => {
  expect(deadFiles(projectFiles())).toEqual([]);
});

test('a file that only a test imports is dead, what only it imports too', () => {
  const files = [
    { path: 'src/bin/lazaret.ts', text: "import './a.ts';" },
    { path: 'src/bin/a.ts', text: '' },
    { path: 'src/lib/b.ts', text: "import './c.ts';" },
    { path: 'src/lib/b.test.ts', text: "import './b.ts';" },
    { path: 'src/lib/c.ts', text: '' },
  ];
  expect(deadFiles(files)).toEqual([
    'src/lib/b.ts: nothing leads to it from src/bin',
    'src/lib/c.ts: nothing leads to it from src/bin',
  ]);
});

test('a worker that is named by URL is alive, with what it imports', () => {
  const files = [
    { path: 'src/bin/lazaret.ts', text: "new Worker(new URL('../lib/worker.ts', import.meta.url))" },
    { path: 'src/lib/worker.ts', text: "import type { A } from './a.ts';" },
    { path: 'src/lib/a.ts', text: '' },
  ];
  expect(deadFiles(files)).toEqual([]);
});

test('a contract suite and a helper of the tests must be reached from a test', () => {
  const suite = { path: 'src/blobs/blob-store-contract.ts', text: '' };
  const helper = { path: 'test/support/world.ts', text: '' };
  const user = {
    path: 'test/a.test.ts',
    text: "import '../src/blobs/blob-store-contract.ts'; import './support/world.ts';",
  };
  expect(deadFiles([suite, helper, user])).toEqual([]);
  expect(deadFiles([suite, helper])).toEqual([
    'src/blobs/blob-store-contract.ts: no test leads to it',
    'test/support/world.ts: no test leads to it',
  ]);
});

test('a product without an executable is one finding', () => {
  expect(deadFiles([{ path: 'src/lib/a.ts', text: '' }])).toEqual([
    'src/bin: there is no executable, so all of src is dead',
  ]);
});
