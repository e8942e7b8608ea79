import { describe, expect, it } from 'vitest';
import { Promises } from './promises.ts';

describe('what was promised', () => {
  it('is known once somebody who changed it alone was answered', () => {
    const promises = new Promises();
    promises.begin('tag', 'sha256:1').end('done');
    expect(promises.seen('tag').value).toBe('sha256:1');
    const { since } = promises.seen('tag');
    promises.begin('tag', null).end('refused');
    expect(promises.seen('tag')).toMatchObject({ value: 'sha256:1', since });
    promises.begin('tag', null).end('done');
    expect(promises.seen('tag').value).toBeNull();
  });

  it('is not known while somebody changes it, nor after two did at once', () => {
    const promises = new Promises();
    const [first, second] = [promises.begin('tag', 'sha256:1'), promises.begin('tag', 'sha256:2')];
    first.end('done');
    expect(promises.seen('tag').value).toBeUndefined();
    second.end('done');
    expect(promises.seen('tag').value).toBeUndefined();
  });

  it('is not known after an answer never came, which contests whoever comes soon after', () => {
    const promises = new Promises();
    promises.begin('tag', 'sha256:1').end('lost');
    const next = promises.begin('tag', 'sha256:2');
    expect(next.contested()).toBe(true);
    next.end('done');
    expect(promises.seen('tag').value).toBeUndefined();
  });

  it('is still so only if nobody has begun to change it since', () => {
    const promises = new Promises();
    promises.begin('tag', 'sha256:1').end('done');
    const seen = promises.seen('tag');
    expect(promises.still('tag', seen)).toBe(true);
    promises.begin('tag', 'sha256:1').end('refused');
    expect(promises.still('tag', seen)).toBe(false);
  });
});
