import { expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

test('buffers are used again, and when many are in use the next are small', () => {
  const pool = new BufferPool({ largeBytes: 100, largeMax: 2, keptMax: 1, smallBytes: 10 });
  const [first, second, third] = [pool.take(), pool.take(), pool.take()];
  expect([first, second, third].map(({ byteLength }) => byteLength)).toEqual([100, 100, 10]);
  for (const buffer of [third, first, second]) pool.giveBack(buffer);
  expect(pool.take()).toBe(first);
  expect(pool.take()).not.toBe(second);
  expect(pool.take().byteLength).toBe(10);
});
