import { expect, it } from 'vitest';
import { freeMemory } from './free-memory.ts';

it('buffers give their memory back and are empty, but for those that share it with others', () => {
  const whole = new Uint8Array([1, 2, 3]);
  const shared = new ArrayBuffer(8);
  const part = new Uint8Array(shared, 2, 3);
  const pooled = Buffer.from('from a pool');
  const threads = new Uint8Array(new SharedArrayBuffer(4));
  freeMemory([whole, part, pooled, threads]);
  expect(whole.byteLength).toBe(0);
  expect([part.byteLength, shared.byteLength, threads.byteLength]).toEqual([3, 8, 4]);
  expect(String(pooled)).toBe('from a pool');
  freeMemory([whole]);
  expect(whole.byteLength).toBe(0);
});
