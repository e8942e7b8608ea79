import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { LoginBrake } from './login-brake.ts';

function open() {
  const clock = new ManualClock();
  const brake = new LoginBrake(clock);
  /** Tries, wrongly. @returns the seconds to wait if it was refused before it was looked at */
  const guess = (name: string, address: string): number => {
    try {
      brake.begin({ name, address });
      return 0;
    } catch (error) {
      if (!hasCode(error, 'tooManyRequests')) throw error;
      return Number(error.detail?.retryAfterS);
    }
  };
  const right = (name: string, address: string): number => {
    const wait = guess(name, address);
    if (wait === 0) brake.succeeded({ name, address });
    return wait;
  };
  return { clock, brake, guess, right };
}

describe('the brake on guessing', () => {
  it('lets a few pass, then delays twice as long each time, up to five minutes', () => {
    const { clock, guess } = open();
    for (let n = 0; n < limits.guessesOfPair; n++) expect(guess('jo', 'a')).toBe(0);
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      const wait = guess('jo', 'a');
      waits.push(wait);
      clock.advance(wait * 1000);
      expect(guess('jo', 'a')).toBe(0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  it('forgets after a quarter of an hour without a guess', () => {
    const { clock, guess } = open();
    for (let n = 0; n < limits.guessesOfPair; n++) guess('jo', 'a');
    expect(guess('jo', 'a')).toBe(1);
    clock.advance(limits.guessForgetMs);
    for (let n = 0; n < limits.guessesOfPair; n++) expect(guess('jo', 'a')).toBe(0);
  });

  it('is let go by the right password', () => {
    const { guess, right } = open();
    for (let n = 0; n < limits.guessesOfPair - 1; n++) guess('jo', 'a');
    expect(right('jo', 'a')).toBe(0);
    for (let n = 0; n < limits.guessesOfPair; n++) expect(guess('jo', 'a')).toBe(0);
  });

  it('holds for one name from many addresses, and for many names from one', () => {
    const { guess } = open();
    for (let n = 0; n < limits.guessesOfOne; n++) expect(guess('jo', `address ${n}`)).toBe(0);
    expect(guess('jo', 'another')).toBe(1);
    expect(guess('al', 'another')).toBe(0);
    for (let n = 0; n < limits.guessesOfOne; n++) expect(guess(`name ${n}`, 'b')).toBe(0);
    expect(guess('some name', 'b')).toBe(1);
  });

  it('does not lock out who logged in from there before', () => {
    const { clock, guess, right } = open();
    expect(right('jo', 'home')).toBe(0);
    for (let n = 0; n < 2 * limits.guessesOfOne; n++) {
      guess('jo', `address ${n}`);
      guess(`name ${n}`, 'home');
    }
    expect(guess('jo', 'elsewhere')).toBeGreaterThan(0);
    expect(guess('al', 'home')).toBeGreaterThan(0);
    expect(right('jo', 'home')).toBe(0);
    clock.advance(limits.loginRememberMs + 1);
    for (let n = 0; n <= limits.guessesOfOne; n++) guess('jo', `address ${n}`);
    expect(guess('jo', 'home')).toBeGreaterThan(0);
  });

  it('holds a bounded number of counts', () => {
    const { brake, guess, right } = open();
    for (let n = 0; n < limits.guessersMax; n++) guess(`name ${n}`, `address ${n}`);
    for (let n = 0; n < limits.guessersMax + 10; n++) right(`other ${n}`, `other ${n}`);
    expect(brake.size).toBeLessThanOrEqual(2 * limits.guessersMax);
  });
});
