import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableText, tableWidth } from './output.ts';

const columns = ['package', 'layer', 'path'];
const shorten = { package: 'start', path: 'end' } as const;

describe('a table', () => {
  it('is as wide as its cells', () => {
    expect(tableText({ columns, rows: [['lodash', 2, null]], shorten }, false)).toBe(
      'PACKAGE  LAYER  PATH\nlodash   2      -',
    );
  });

  it('whose paths are long shows their ends', () => {
    const path = `/${'folder/'.repeat(20)}package.json`;
    const [, line = ''] = tableText({ columns, rows: [['lodash', 2, path]], shorten }, false).split('\n');
    expect(line).toMatch(/^lodash {3}2 {6}….*\/package\.json$/);
    expect(line).toHaveLength(tableWidth);
  });

  it('fits its width whatever is in the columns that may be shortened', () => {
    const cell = fc.string({ maxLength: 300, unit: fc.constantFrom('a', '/') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, fc.nat(999), cell)), (rows) => {
        for (const line of tableText({ columns, rows, shorten }, false).split('\n'))
          expect(line.length).toBeLessThanOrEqual(tableWidth);
      }),
      { numRuns: 50 },
    );
  });
});
