import { expect, test } from 'vitest';
import { errorsPage, references } from '../../scripts/reference.ts';
import { errorCodes } from '../../src/lib/errors.ts';
import { projectFiles } from './project-files.ts';
import { staleReferences } from './reference.ts';

test('the generated reference is what the code says', () => {
  expect(staleReferences(projectFiles(), references)).toEqual([]);
});

test('a reference that differs or is missing is found', () => {
  const reference = { path: 'docs/reference/a.md', text: () => 'new' };
  expect(staleReferences([{ path: 'docs/reference/a.md', text: 'new' }], [reference])).toEqual([]);
  expect(staleReferences([{ path: 'docs/reference/a.md', text: 'old' }], [reference])).toEqual([
    'docs/reference/a.md: differs from the code; run npm run reference',
  ]);
  expect(staleReferences([], [reference])).toEqual([
    'docs/reference/a.md: is missing; run npm run reference',
  ]);
});

test('every error code is a row of the page, with its meaning and both answers', () => {
  const page = errorsPage(errorCodes);
  for (const code of Object.keys(errorCodes)) expect(page).toContain(`| \`${code}\` |`);
  expect(errorsPage({ lost: { status: 410, oci: 'GONE', meaning: 'it is lost' } })).toContain(
    '| `lost` | it is lost | 410 | `GONE` |',
  );
});
