import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

it('work goes on in turn, so much at once and no more, also after a failure', async () => {
  const slots = new Slots({ atOnce: 2, waitingMax: 2 });
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const run = (n: number) =>
    slots.run(() => {
      begun.push(n);
      return new Promise<void>((resolve, reject) => {
        ends.push(n === 1 ? () => reject(new Error('broken')) : resolve);
      });
    });
  const first = run(1);
  const others = [run(2), run(3)];
  expect(slots.full).toBe(false);
  others.push(run(4));
  expect([begun, slots.full]).toEqual([[1, 2], true]);
  ends[0]?.();
  await expect(first).rejects.toThrow('broken');
  await expect.poll(() => begun).toEqual([1, 2, 3]);
  ends[1]?.();
  await expect.poll(() => begun).toEqual([1, 2, 3, 4]);
  for (const end of ends) end();
  await Promise.all(others);
  await slots.run(async () => void begun.push(5));
  expect(begun.at(-1)).toBe(5);
});
