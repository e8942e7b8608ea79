import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf, paragraphsOf } from './text-lines.ts';

const text = fc
  .array(fc.constantFrom('a', '\n', ' ', '\t', 'b:'), { maxLength: 20 })
  .map((parts) => parts.join(''));

test('lines are those of a text that is split', () => {
  fc.assert(
    fc.property(text, (some) => {
      expect([...linesOf(some)]).toEqual(some.split('\n'));
    }),
  );
});

test('paragraphs are what lies between empty lines', () => {
  const read = (some: string) => [
    ...paragraphsOf(some, { start: (): string[] => [], line: (lines, line) => void lines.push(line) }),
  ];
  fc.assert(
    fc.property(text, (some) => {
      const split = some
        .split(/\n(?:[ \t]*\n)+/)
        .map((each) => each.split('\n').filter((line) => line.trim() !== ''));
      expect(read(some)).toEqual(split.filter((lines) => lines.length > 0));
    }),
  );
});
