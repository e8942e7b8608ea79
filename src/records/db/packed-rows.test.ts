import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryOf, rowsPacked, rowsUnpacked } from './packed-rows.ts';

const value = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 4 }),
);
const column = fc.oneof(
  fc.array(value, { minLength: 100, maxLength: 100 }),
  fc.array(fc.integer(), { minLength: 100, maxLength: 100 }),
  value.map((same) => Array<unknown>(100).fill(same)),
);

it('rows are the same on the other side, whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(column, { minLength: 1, maxLength: 4 }),
      fc.nat(100),
      async (columns, length) => {
        const names = columns.map((_, at) => `column ${at}`);
        const rows = Array.from({ length }, (_, row) => columns.map((values) => values[row]));
        const packed = rowsPacked(names, rows);
        const moved = structuredClone(packed, { transfer: memoryOf(packed) });
        expect(await rowsUnpacked(moved)).toEqual(
          rows.map((row) => Object.fromEntries(row.map((each, at) => [names[at], each]))),
        );
      },
    ),
  );
});

it('many rows come in several turns', async () => {
  const rows = Array.from({ length: 9_001 }, (_, at) => [at, `row ${at}`]);
  let turns = 0;
  const count = () => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const unpacked = await rowsUnpacked(rowsPacked(['number', 'text'], rows));
  clearImmediate(next);
  expect(unpacked).toEqual(rows.map(([number, text]) => ({ number, text })));
  expect(turns).toBeGreaterThanOrEqual(2);
});
