import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from './database.ts';
import { globIs } from './glob-condition.ts';

const chars = fc.constantFrom(...['a', 'b', 'B', '.', '(', '[', '+', '$', '|', '\\\\', '☃', '🚢']);
const name = fc
  .array(chars, { minLength: 1, maxLength: 4 })
  .map((all) => all.join('').replaceAll('\\\\', '\\'));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((all) => all.join('/'));
const globName = fc.oneof(
  fc
    .array(fc.oneof(chars, fc.constantFrom('*', '?')), { minLength: 1, maxLength: 4 })
    .map((all) => all.join('')),
  fc.constant('**'),
);
const glob = fc.oneof(
  fc.array(globName, { minLength: 1, maxLength: 4 }).map((all) => all.join('/')),
  fc.tuple(globName, globName).map(([a, b]) => `{${a},b}/${b}`),
);

describeEngines('whether a path is of a glob', (world) => {
  let database: Database;
  beforeAll(async () => {
    database = await world.open();
  });
  afterAll(() => database.close());

  async function told(globText: string, text: string): Promise<boolean> {
    const value = sql<string>`cast(${text} as text)`;
    const is = globIs(database.engine, value, globText);
    const rows = await database.search(sql`select 1 as found where ${is}`.compile(database.read));
    return rows.length === 1;
  }

  test('is told as here', async () => {
    const answers = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(glob, path, async (globText, text) => {
        const expected = globMatcher(globText)(text);
        answers.add(expected);
        expect(await told(globText, text)).toBe(expected);
      }),
      { numRuns: 400, seed: 7 },
    );
    expect(answers.size).toBe(2);
  });

  test.each([
    ['**/b', 'b', true],
    ['**/**/b', 'a/a/b', true],
    ['a/**', 'a', false],
    ['a/**/b', 'ab', false],
    ['a/*', 'a/b/c', false],
    ['***:a', '***:a', true],
    ['(?i)a', '(?i)A', false],
    ['a\nb', 'a\nb', true],
    ['a?b', 'a\nb', true],
  ])('%j of %j: %s', async (globText, text, expected) => {
    expect(globMatcher(globText)(text)).toBe(expected);
    expect(await told(globText, text)).toBe(expected);
  });

  test('is told of the longest globs too', async () => {
    const longest = [
      '*a'.repeat(limits.globLengthMax / 2),
      '**/a/'.repeat(limits.globLengthMax / 5),
      `${'{a*,*b}'.repeat(6)}${'*c'.repeat(200)}`,
      '?'.repeat(limits.globLengthMax),
      '(['.repeat(limits.globLengthMax / 2),
    ];
    for (const globText of longest)
      for (const text of [
        'a'.repeat(4_000),
        `${'a/'.repeat(2_000)}b`,
        `${'ab'.repeat(100)}${'c'.repeat(300)}`,
      ])
        expect(await told(globText, text)).toBe(globMatcher(globText)(text));
  });
});
