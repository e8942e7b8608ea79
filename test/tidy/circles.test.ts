import { expect, test } from 'vitest';
import { importCircles } from './circles.ts';
import { productFiles, projectFiles } from './project-files.ts';

test('the product has no circle of imports', () => {
  expect(importCircles(productFiles(projectFiles()))).toEqual([]);
});

test('a circle over three files is told once, as a chain, also when its imports are of types', () => {
  const files = [
    { path: 'src/a.ts', text: "import { b } from './b.ts';" },
    { path: 'src/b.ts', text: "import type { C } from './c.ts';" },
    { path: 'src/c.ts', text: "export * from './a.ts'; import './d.ts';" },
    { path: 'src/d.ts', text: '' },
  ];
  expect(importCircles(files)).toEqual(['src/a.ts → src/b.ts → src/c.ts → src/a.ts']);
});

test('a file that imports itself is a circle', () => {
  expect(importCircles([{ path: 'src/a.ts', text: "import './a.ts';" }])).toEqual(['src/a.ts → src/a.ts']);
});

test('two ways to one file are no circle', () => {
  const files = [
    { path: 'src/a.ts', text: "import './b.ts'; import './c.ts';" },
    { path: 'src/b.ts', text: "import './c.ts';" },
    { path: 'src/c.ts', text: '' },
  ];
  expect(importCircles(files)).toEqual([]);
});

test('a worker that imports types of the file that starts it is in no circle', () => {
  const files = [
    { path: 'src/pool.ts', text: "new Worker(new URL('./worker.ts', import.meta.url))" },
    { path: 'src/worker.ts', text: "import type { Task } from './pool.ts';" },
  ];
  expect(importCircles(files)).toEqual([]);
});
