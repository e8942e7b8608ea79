import { expect, it } from 'vitest';
import { LaneQueue } from './lane-queue.ts';

async function all<T>(queue: LaneQueue<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

it('a lane queue gives out what was pushed, in order, and ends when it is closed', async () => {
  const queue = new LaneQueue<number>({ countMax: 10, bytesMax: 100 });
  const read = all(queue);
  queue.push(1, 1);
  await Promise.resolve();
  queue.push(2, 1);
  queue.close();
  expect(await read).toEqual([1, 2]);
});

it.each([
  ['of so many', { countMax: 2, bytesMax: 100 }],
  ['of so large', { countMax: 10, bytesMax: 2 }],
])(
  'a lane queue %s lines takes no more, never makes its writer wait, and ends when it is empty',
  async (_, limits) => {
    const queue = new LaneQueue<number>(limits);
    for (const n of [1, 2, 3]) queue.push(n, 1);
    expect(queue.overflowed).toBe(true);
    expect(await all(queue)).toEqual([1, 2]);
    // A gap would be worse than an end: what came after the first that was left out is left out too.
    queue.push(4, 1);
    expect(await all(queue)).toEqual([]);
  },
);

it('a lane queue takes a line that is too large if it is alone', async () => {
  const queue = new LaneQueue<number>({ countMax: 2, bytesMax: 10 });
  queue.push(1, 99);
  queue.close();
  expect(await all(queue)).toEqual([1]);
});
