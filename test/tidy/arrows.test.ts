import { expect, test } from 'vitest';
import { brokenArrows } from './arrows.ts';
import { productFiles, projectFiles } from './project-files.ts';

test('every import of the product follows the arrows', () => {
  expect(brokenArrows(productFiles(projectFiles()))).toEqual([]);
});

test.each([
  ['src/records/db/a.ts', '../../actions/scan/b.ts', 'records may not import actions'],
  ['src/records/a.ts', '../blobs/b.ts', 'records may not import blobs'],
  ['src/agent/a.ts', '../records/db/b.ts', 'agent may not import records'],
  ['src/cli/a.ts', '../server/b.ts', 'cli may not import server'],
  ['src/edges/oci/a.ts', '../../server/context.ts', 'edges may not import server'],
  ['src/lib/a.ts', '../oci/digest.ts', 'lib may not import oci'],
  ['src/actions/collect/a.ts', '../scan/b.ts', 'action collect may not import action scan'],
  ['src/actions/collect.ts', './scan.ts', 'action collect may not import action scan'],
  ['src/actions/scan/a.ts', '../quarantine/b.ts', 'action scan may not import action quarantine'],
  ['src/server/a.ts', '../../test/support/b.ts', 'server imports from outside src'],
])('an import in %s of %s is found', (path, specifier, complaint) => {
  for (const text of [
    `import { b } from '${specifier}';`,
    `import type { B } from '${specifier}';`,
    `export { b } from '${specifier}';`,
    `const b = await import('${specifier}');`,
    `new Worker(new URL('${specifier}', import.meta.url));`,
  ])
    expect(brokenArrows([{ path, text: `// first line\n${text}` }])).toEqual([
      expect.stringMatching(new RegExp(`^${path}:2: ${complaint}: ${path} → `)),
    ]);
});

test.each([
  ['src/bin/lazaret.ts', '../server/main.ts'],
  ['src/server/a.ts', '../records/db/b.ts'],
  ['src/actions/quarantine/a.ts', '../scan/b.ts'],
  ['src/actions/revoke/a.ts', '../launch/b.ts'],
  ['src/actions/scan/a.ts', './b.ts'],
  ['src/agent/a.ts', '../client/b.ts'],
  ['src/contract/a.ts', '../lib/b.ts'],
])('an import in %s of %s is allowed', (path, specifier) => {
  expect(brokenArrows([{ path, text: `import { b } from '${specifier}';` }])).toEqual([]);
});

test('the complaint shows the chain from the executable when an import deep inside breaks an arrow', () => {
  const files = [
    { path: 'src/bin/lazaret.ts', text: "import '../agent/agent.ts';" },
    { path: 'src/agent/agent.ts', text: "import './keeper.ts';" },
    { path: 'src/agent/keeper.ts', text: "import type { Row } from '../records/row.ts';" },
    { path: 'src/records/row.ts', text: '' },
  ];
  expect(brokenArrows(files)).toEqual([
    'src/agent/keeper.ts:1: agent may not import records: ' +
      'src/bin/lazaret.ts → src/agent/agent.ts → src/agent/keeper.ts → src/records/row.ts',
  ]);
});
