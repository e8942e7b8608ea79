import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from './size.ts';

describe('size', () => {
  it.each([
    ['10GiB', 10_737_418_240],
    ['4MiB', 4_194_304],
    ['512KiB', 524_288],
    ['100B', 100],
    ['0B', 0],
    ['1TiB', 1_099_511_627_776],
  ])('reads %s as %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', '10', '10GB', '10gib', '-1B', '1.5GiB', '10 GiB', '9999999999999999TiB'])(
    "refuses '%s', naming the path",
    (text) => {
      expect(() => parseSize(text, 'quota.bytes')).toThrow(/^quota\.bytes: /);
    },
  );

  it('reads back what it writes', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
    expect([0, 1536, 1024, 3 * 1024 ** 3].map(formatSize)).toEqual(['0B', '1536B', '1KiB', '3GiB']);
  });
});
