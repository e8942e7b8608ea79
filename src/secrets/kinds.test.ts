import { checkSync } from 'recheck';
import { expect, it } from 'vitest';
import { secretKinds } from './kinds.ts';

/** In milliseconds, for each pattern. What the checker has not found out by then counts as not found. */
const timeout = 200;

it('no pattern can be made to take more than time in proportion to the text', () => {
  const slow = secretKinds.flatMap(({ id, pattern }) => {
    const { status } = checkSync(pattern.source, pattern.flags, { timeout });
    return status === 'vulnerable' ? [id] : [];
  });
  expect(slow).toEqual([]);
  expect(checkSync('^(a+)+$', '', { timeout }).status).toBe('vulnerable');
});
