import { expect, it } from 'vitest';
import { shared } from './shared.ts';

it('runs once for those who ask in one turn, and never gives the result of a run from before it was asked', async () => {
  let written = 0;
  const reads: number[] = [];
  const going: (() => void)[] = [];
  const read = shared(async () => {
    const seen = written;
    reads.push(seen);
    await new Promise<void>((resolve) => going.push(resolve));
    return seen;
  });
  const first = [read(), read()];
  written = 1; // before the read has begun
  await expect.poll(() => reads).toEqual([1]);
  written = 2;
  const second = [read(), read()];
  going[0]?.();
  expect(await Promise.all(first)).toEqual([1, 1]);
  await expect.poll(() => reads).toEqual([1, 2]);
  going[1]?.();
  expect(await Promise.all(second)).toEqual([2, 2]);
});

it('tells each who waits of a failure, and runs again for the next', async () => {
  let fails = true;
  const read = shared(async () => {
    if (fails) throw new Error('unreachable');
    return 'here';
  });
  const both = await Promise.allSettled([read(), read()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await read()).toBe('here');
});
