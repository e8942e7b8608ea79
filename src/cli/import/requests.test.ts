import { expect, it } from 'vitest';
import { LazaretError } from '../../lib/errors.ts';
import { forEachBounded, Requests } from './requests.ts';

it('no more are open at once than were allowed, and all are done', async () => {
  const requests = new Requests(2);
  let open = 0;
  let most = 0;
  const work = async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    return 1;
  };
  const done = await Promise.all(Array.from({ length: 7 }, () => requests.run(work)));
  expect([done.length, most, open]).toEqual([7, 2, 0]);
});

it('when one side is gone, what waits is not tried any more', async () => {
  const requests = new Requests(1);
  let tried = 0;
  const gone = () => {
    tried += 1;
    return Promise.reject(new LazaretError('unavailable', 'no answer'));
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => requests.run(gone)));
  expect(tried).toBe(8);
  expect(outcomes.at(-1)).toMatchObject({ reason: { message: 'not tried: too many failures before it' } });
});

it('what is refused does not count as being gone', async () => {
  const requests = new Requests(1);
  const refused = () => Promise.reject(new LazaretError('denied', 'not yours'));
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => requests.run(refused)));
  expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'denied' } });
});

it('the first failure ends a walk over items, after what goes on', async () => {
  const done: number[] = [];
  const walk = forEachBounded([1, 2, 3, 4, 5], 2, async (item) => {
    if (item === 2) throw new Error('two');
    await new Promise((resolve) => setImmediate(resolve));
    done.push(item);
  });
  await expect(walk).rejects.toThrow('two');
  expect(done).toEqual([1]);
});
