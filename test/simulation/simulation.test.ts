import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomSourceReplace } from '../../src/lib/random.ts';
import { Databases, startMs } from './databases.ts';
import { faults } from './faults.ts';
import { applyEdit } from './plant-fault.ts';
import { SeededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { scratchFolder } from './scratch.ts';
import { simulate } from './simulate.ts';

let folder = '';
let databases: Databases;

beforeAll(async () => {
  folder = await mkdtemp(join(scratchFolder(tmpdir()), 'lazaret-simulation-'));
  databases = await Databases.open(folder);
});

afterAll(async () => {
  randomSourceReplace(randomBytes);
  await databases.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the simulation', () => {
  it('breaks no promise in 15 seeds', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const { failure, trace } = await simulate(seed, 100, databases);
      expect(failure, `seed ${seed}\n${trace.slice(-60).join('\n')}`).toBeUndefined();
    }
  });

  it.each([3, 4, 7, 8])('replays seed %i exactly', { timeout: 60_000 }, async (seed) => {
    const first = await simulate(seed, 120, databases);
    const second = await simulate(seed, 120, databases);
    expect(first.trace.length).toBeGreaterThan(100);
    expect(second.trace).toEqual(first.trace);
  });
});

describe('planted faults', () => {
  it.each(faults)('$name still has the text that it changes', async ({ edits }) => {
    const texts = new Map<string, string>();
    for (const edit of edits) {
      const file = new URL(`../../${edit.file}`, import.meta.url);
      const text = texts.get(edit.file) ?? (await readFile(file, 'utf8'));
      texts.set(edit.file, applyEdit(text, edit));
    }
    expect(texts.size).toBeGreaterThan(0);
  });

  it('are at least the twelve that were asked for, each named once', () => {
    expect(new Set(faults.map((fault) => fault.name)).size).toBe(faults.length);
    expect(faults.length).toBeGreaterThanOrEqual(12);
  });
});

describe('the scheduler', () => {
  it('leaves the signal of whoever goes on or dies, which would keep the whole run alive', async () => {
    const rates = { failBefore: 0, lose: 0, late: 0, quickRead: 1 };
    const scheduler = new Scheduler(new SeededRandom(1), { rates, nowMs: startMs });
    const { signal } = new AbortController();
    for (const ms of [0, 1_000])
      scheduler.start({ name: 'sleeps', process: `for-${ms}`, region: 'home' }, (op) =>
        scheduler.sleep(op, ms, signal),
      );
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    scheduler.releaseOne();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    scheduler.kill('for-1000');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('chance from a seed', () => {
  it('is the same for the same seed, and another for the next', () => {
    const numbers = (seed: number) => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.below(1_000));
    };
    expect(numbers(5)).toEqual(numbers(5));
    expect(numbers(5)).not.toEqual(numbers(6));
  });
});
