import { expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { RequestRate } from './request-rate.ts';

const jo = { kind: 'user', principal: 'jo' } as const;
const al = { kind: 'user', principal: 'al' } as const;
const nobody = { kind: 'anonymous', principal: 'anonymous' } as const;

it('a caller makes a minute’s worth of requests at once, then as fast as the limit says', () => {
  const clock = new ManualClock();
  const rate = new RequestRate(clock, 6);
  for (let n = 0; n < 6; n++) rate.take(jo, '10.0.0.1');
  expect(() => rate.take(jo, '10.0.0.2')).toThrow(
    expect.objectContaining({ code: 'tooManyRequests', detail: { retryAfterS: 10 } }),
  );
  rate.take(al, '10.0.0.1');
  clock.advance(10_000);
  rate.take(jo, '10.0.0.1');
  expect(() => rate.take(jo, '10.0.0.1')).toThrow('at most 6 requests in a minute');
});

it('those without a name are told apart by address, and a region is not counted', () => {
  const rate = new RequestRate(new ManualClock(), 1);
  rate.take(nobody, '10.0.0.1');
  rate.take(nobody, '10.0.0.2');
  expect(() => rate.take(nobody, '10.0.0.2')).toThrow('at most 1');
  for (let n = 0; n < 5; n++) rate.take({ kind: 'region', principal: 'region/us' }, '10.0.0.2');
});

it('nobody is limited unless it is configured', () => {
  const rate = new RequestRate(new ManualClock(), 0);
  for (let n = 0; n < 1000; n++) rate.take(nobody, '10.0.0.1');
});
