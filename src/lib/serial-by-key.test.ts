import { expect, test } from 'vitest';
import { SerialByKey } from './serial-by-key.ts';

test('work on one key begins when the work before it has ended, also when that failed', async () => {
  const serial = new SerialByKey();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = serial.run('a', async () => {
    await gate.promise;
    order.push('first');
    throw new Error('first fails');
  });
  const second = serial.run('a', async () => order.push('second'));
  const other = serial.run('b', async () => order.push('other'));
  await other;
  gate.resolve();
  await expect(first).rejects.toThrow('first fails');
  await second;
  expect(order).toEqual(['other', 'first', 'second']);
});
