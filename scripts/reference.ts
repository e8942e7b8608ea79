/** `npm run reference` writes docs/reference from the code; a tidy test fails when they differ. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from '../src/contract/openapi.ts';
import { routes } from '../src/contract/routes.ts';
import { criteriaSchema } from '../src/criteria/schema.ts';
import { errorCodes } from '../src/lib/errors.ts';
import { secretKinds } from '../src/secrets/kinds.ts';
import type { SecretKind } from '../src/secrets/secret-kind.ts';
import { configurationReference } from './configuration-page.ts';

export interface Reference {
  /** Relative to the project's root. */
  readonly path: string;
  text(): string;
}

export const references: readonly Reference[] = [
  { path: 'docs/reference/secret-kinds.md', text: () => secretKindsPage(secretKinds) },
  { path: 'docs/reference/configuration.md', text: configurationReference },
  {
    path: 'docs/reference/criteria.schema.json',
    text: () => `${JSON.stringify(criteriaSchema, undefined, 2)}\n`,
  },
  { path: 'docs/reference/errors.md', text: () => errorsPage(errorCodes) },
  {
    path: 'docs/reference/openapi.json',
    text: () => `${JSON.stringify(openApiDocument(routes), undefined, 2)}\n`,
  },
];

type ErrorTable = Readonly<
  Record<string, { readonly status: number; readonly oci: string; readonly meaning: string }>
>;

export function errorsPage(codes: ErrorTable): string {
  const rows = Object.entries(codes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { status, oci, meaning }]) => `| \`${code}\` | ${meaning} | ${status} | \`${oci}\` |`);
  return [
    '# Errors',
    '',
    'Every failure that a caller can meet has one of these codes. The management API answers with the code; under `/v2/`',
    "the distribution specification's code stands in its place. Generated from `src/lib/errors.ts` by `npm run reference`.",
    '',
    '| code | meaning | status | under `/v2/` |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

export function secretKindsPage(kinds: readonly SecretKind[]): string {
  const rows = kinds.map(
    ({ id, title, paths }) =>
      `| \`${id}\` | ${title} | ${paths === undefined ? 'everywhere' : 'in its files'} |`,
  );
  return [
    '# Kinds of secrets',
    '',
    'What inspection looks for in the text of each layer, and criteria ask for: `secret: { "kind": "aws-*" }`. Generated',
    'from `src/secrets/kinds.ts` by `npm run reference`.',
    '',
    '| kind | what it is | where |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const { path, text } of references) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text());
    console.log(path);
  }
}
