import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContentRange, parseRange } from './conditions.ts';

describe('a range of bytes', () => {
  it.each([
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-4', 10, { start: 2, end: 4 }],
    ['bytes=8-99', 10, { start: 8, end: 9 }],
    ['bytes=3-', 10, { start: 3, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-99', 10, { start: 0, end: 9 }],
    ['Bytes= 1-2 ', 10, { start: 1, end: 2 }],
    [`bytes=0-${'9'.repeat(40)}`, 10, { start: 0, end: 9 }],
    ['bytes=10-', 10, 'none'],
    ['bytes=10-20', 10, 'none'],
    ['bytes=5-4', 10, 'none'],
    ['bytes=-0', 10, 'none'],
    [`bytes=${'9'.repeat(400)}-`, 10, 'none'],
    ['bytes=0-', 0, undefined],
    ['bytes=-1', 0, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=1.5-2', 10, undefined],
    ['bytes=--1', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['', 10, undefined],
    [undefined, 10, undefined],
  ])('%s of %i bytes', (header, sizeBytes, expected) => {
    expect(parseRange(header, sizeBytes)).toEqual(expected);
  });

  it('that is well formed holds what a slice of the content would', () => {
    const bound = fc.option(fc.nat(30), { nil: undefined });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), bound, bound, (content, first, last) => {
        fc.pre(first !== undefined || last !== undefined);
        const found = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, content.length);
        const meant =
          first === undefined
            ? content.slice(Math.max(0, content.length - (last ?? 0)))
            : content.slice(first, last === undefined ? undefined : last + 1);
        expect(typeof found === 'object' ? content.slice(found.start, found.end + 1) : found).toEqual(
          meant.length === 0 ? 'none' : meant,
        );
      }),
    );
  });

  it('of whatever text never is beyond the content, and never throws', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[-0-9, ]{0,30}$/));
    fc.assert(
      fc.property(text, fc.nat(1_000), (header, sizeBytes) => {
        const found = parseRange(header, sizeBytes);
        if (typeof found !== 'object') return;
        expect(found.start).toBeGreaterThanOrEqual(0);
        expect(found.start).toBeLessThanOrEqual(found.end);
        expect(found.end).toBeLessThan(sizeBytes);
      }),
    );
  });
});

describe('the range of a chunk', () => {
  it.each([
    ['0-0', { start: 0, end: 0 }],
    ['4-7', { start: 4, end: 7 }],
    ['bytes 4-7/*', { start: 4, end: 7 }],
    ['bytes=4-7', { start: 4, end: 7 }],
    ['bytes 4-7/100', { start: 4, end: 7 }],
    ['7-4', undefined],
    ['4-', undefined],
    ['-4', undefined],
    ['', undefined],
    ['4-7/', undefined],
    ['4-7,9-10', undefined],
    ['1234567890123456-1234567890123457', undefined],
  ])('%s', (header, expected) => {
    expect(parseContentRange(header)).toEqual(expected);
  });

  it('is what was written, or nothing', () => {
    const bound = fc.nat(2 ** 31 - 1);
    fc.assert(
      fc.property(bound, bound, fc.constantFrom('', 'bytes ', 'bytes='), (start, end, unit) => {
        const expected = start <= end ? { start, end } : undefined;
        expect(parseContentRange(`${unit}${start}-${end}`)).toEqual(expected);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = parseContentRange(text);
        if (found) expect(found.start).toBeLessThanOrEqual(found.end);
      }),
    );
  });
});
