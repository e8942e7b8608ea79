import { expect, test } from 'vitest';
import { statusText } from './inspect.ts';

const fine = { version: 3, since: Date.UTC(2026, 10, 29), done: 1_200, stale: 0, pending: 0, failed: 0 };

test('the status of inspections names what is left, how fast it goes and how long it takes', () => {
  expect(statusText({ ...fine, layersPerHour: 0, leftMs: 0 })).toBe(
    '1,200 of 1,200 layers read with inventory version 3, of 2026-11-29 00:00:00',
  );
  const busy = { ...fine, stale: 800, pending: 2, failed: 1, layersPerHour: 400, leftMs: 7_209_000 };
  expect(statusText(busy).split('\n').slice(1)).toEqual([
    '800 stale: older answers stand',
    '2 pending',
    '1 could not be read again',
    '400 an hour, 3 hours left',
  ]);
  expect(statusText({ ...busy, layersPerHour: 0, leftMs: null })).toContain('none was read lately');
});
