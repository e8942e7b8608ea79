import { expect, test } from 'vitest';
import { parseBytes } from './bytes.ts';

test.each([
  ['0', 0],
  ['1024', 1024],
  ['500MB', 500_000_000],
  ['10GiB', 10 * 2 ** 30],
  ['1.5 KiB', 1536],
])('%s is %i bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(['', 'GiB', '-1', '10gib', '1e3', '10 G B', '999999999999TiB', '1toString'])(
  'refuses %j, with the field',
  (text) => {
    expect(() => parseBytes(text, 'quota')).toThrow(/^quota: .* is not a size/);
  },
);
