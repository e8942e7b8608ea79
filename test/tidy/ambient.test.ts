import { expect, test } from 'vitest';
import { ambientUses } from './ambient.ts';
import { environmentReaders } from './exceptions.ts';
import { productFiles, projectFiles, whole } from './project-files.ts';

test('environment, time and chance enter the product at one place each', whole, () => {
  expect(ambientUses(productFiles(projectFiles()), environmentReaders)).toEqual([]);
});

test.each([
  ['process.env.HOME', 'environment'],
  ["process['env'].HOME", 'environment'],
  ['globalThis.process.env', 'environment'],
  ['const { env } = process', 'environment'],
  ["import { env } from 'node:process'", 'environment'],
  ['Date.now()', 'time'],
  ['new Date()', 'time'],
  ['new Date', 'time'],
  ['Date()', 'time'],
  ['performance.now()', 'time'],
  ["import { uptime as up } from 'node:os'", 'time'],
  ['Math.random()', 'chance'],
  ["import { createHash, randomUUID } from 'node:crypto'", 'chance'],
  ["import { randomBytes } from 'crypto'", 'chance'],
  ['crypto.getRandomValues(a)', 'chance'],
])('%s is found as %s, and allowed in its home', (text, kind) => {
  const homes = {
    environment: 'src/server/config/env.ts',
    time: 'src/lib/clock.ts',
    chance: 'src/lib/random.ts',
  };
  const home = Object.entries(homes).find(([name]) => name === kind)?.[1] ?? '';
  expect(ambientUses([{ path: 'src/a.ts', text: `\n${text};` }], {})).toEqual([
    expect.stringMatching(new RegExp(`^src/a\\.ts:2: .*: ${kind} comes from ${home} only$`)),
  ]);
  expect(ambientUses([{ path: home, text }], {})).toEqual([]);
});

test.each([
  'new Date(0)',
  "import { createHash } from 'node:crypto'",
  '// Date.now()',
  "'process.env'",
  'clock.now()',
])('%s is allowed anywhere', (text) => {
  expect(ambientUses([{ path: 'src/a.ts', text }], {})).toEqual([]);
});

test('a named exception may read the environment but not the clock', () => {
  const file = { path: 'src/cli/a.ts', text: 'process.env.HOME; Date.now();' };
  expect(ambientUses([file], { 'src/cli/a.ts': 'why' })).toEqual([expect.stringContaining('Date.now')]);
});
