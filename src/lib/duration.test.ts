import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { hasCode } from './errors.ts';
import { limits } from './limits.ts';

describe('duration', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('reads %s as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '10', 's', '-1s', '1.5h', '10 s', '10S', '1h30m', '1w', '99999999d', '1e3s', '١s'])(
    "refuses '%s'",
    (text) => {
      try {
        parseDuration(text, 'gc.grace');
        expect.unreachable();
      } catch (error) {
        expect(hasCode(error, 'invalid') && error.detail?.path).toBe('gc.grace');
      }
    },
  );

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: limits.durationMaxMs }), (ms) => parseDuration(formatDuration(ms)) === ms),
    );
    expect([0, 1500, 90_000, 86_400_000].map(formatDuration)).toEqual(['0s', '1500ms', '90s', '1d']);
  });
});
