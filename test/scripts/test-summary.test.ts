import { expect, test } from 'vitest';
import { countTests, type ModuleResult, summaryLine } from '../../scripts/test-summary.ts';

function module(states: readonly string[], errors = 0): ModuleResult {
  const tests = states.map((state) => ({ result: () => ({ state }) }));
  return { errors: () => Array(errors).fill('error'), children: { allTests: () => tests } };
}

test('the line tells passed and failed, and skipped only if there are any', () => {
  expect(summaryLine(countTests([module(['passed', 'failed']), module(['passed'])], 0))).toBe(
    '2 passed, 1 failed',
  );
  expect(summaryLine(countTests([module(['passed', 'skipped', 'pending'])], 0))).toBe(
    '1 passed, 0 failed, 2 skipped',
  );
});

test('a file that cannot be loaded and an error outside any test count as failed', () => {
  expect(summaryLine(countTests([module([], 1), module(['passed'])], 1))).toBe('1 passed, 2 failed');
});
