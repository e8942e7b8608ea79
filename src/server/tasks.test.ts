import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import type { Foreground } from '../lib/foreground.ts';
import { limits } from '../lib/limits.ts';
import type { Task } from '../lib/task.ts';
import type { Database } from '../records/db/database.ts';
import { openDatabase } from '../records/db/drivers.ts';
import { startTasks } from './tasks.ts';

let folder = '';
let database: Database;
let clock: ManualClock;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-tasks-'));
  clock = new ManualClock();
  database = await openDatabase(
    { kind: 'sqlite', file: join(folder, 'm.sqlite') },
    { region: 'home', clock },
  );
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const quiet = { isBusy: () => false };

/** A task that says what each of its runs does, `idle` when nothing more is said. */
class Scripted implements Task {
  readonly name = 'scripted';
  readonly periodMs = 1_000;
  calmMs = 0;
  readonly script: (('worked' | 'idle') | Error)[] = [];
  runs = 0;

  async run(): Promise<'worked' | 'idle'> {
    this.runs += 1;
    const next = this.script.shift() ?? 'idle';
    if (next instanceof Error) throw next;
    return next;
  }
}

function start(tasks: readonly Task[], loops: boolean, foreground: Pick<Foreground, 'isBusy'> = quiet) {
  return startTasks(tasks, { database, clock, logger: pino({ level: 'silent' }), loops, foreground });
}

describe('background tasks', () => {
  it('are drained until a whole round found nothing to do', async () => {
    const [first, second] = [new Scripted(), new Scripted()];
    second.script.push('worked', 'worked');
    const tasks = start([first, second], false);
    await tasks.drain();
    expect([first.runs, second.runs]).toEqual([3, 3]);
    await tasks.stop();
  });

  it('run again at a commit, and when their period is over', async () => {
    const task = new Scripted();
    const tasks = start([task], true);
    await expect.poll(() => task.runs).toBe(1);
    await database.transact(async (tx) => tx.wake());
    await expect.poll(() => task.runs).toBe(2);
    await expect
      .poll(() => {
        clock.advance(task.periodMs);
        return task.runs;
      })
      .toBeGreaterThan(2);
    await tasks.stop();
  });

  it('that nobody waits for let commits gather first', async () => {
    const task = new Scripted();
    task.calmMs = 500;
    const tasks = start([task], true);
    await expect.poll(() => clock.sleeping).toBe(1);
    for (let commit = 0; commit < 3; commit++) await database.transact(async (tx) => tx.wake());
    expect(task.runs).toBe(1);
    clock.advance(task.calmMs);
    await expect.poll(() => clock.sleeping).toBe(1);
    expect(task.runs).toBe(2);
    await tasks.stop();
  });

  it('that give way wait for a pause in pushes and pulls, but not for ever', async () => {
    const foreground = { busy: true, isBusy: () => foreground.busy };
    const task = Object.assign(new Scripted(), { givesWayMs: 2 * limits.foregroundQuietMs });
    const tasks = start([task], true, foreground);
    const pass = async () => {
      await expect.poll(() => clock.sleeping).toBe(1);
      clock.advance(limits.foregroundQuietMs);
    };
    await pass();
    await expect.poll(() => clock.sleeping).toBe(1);
    expect(task.runs).toBe(0);
    await pass();
    await expect.poll(() => task.runs).toBe(1);
    foreground.busy = false;
    await expect.poll(() => clock.sleeping).toBe(1);
    await database.transact(async (tx) => tx.wake());
    await expect.poll(() => task.runs).toBe(2);
    await tasks.stop();
  });

  it('that give way run at once for whoever drains them', async () => {
    const task = Object.assign(new Scripted(), { givesWayMs: limits.foregroundQuietMs });
    const tasks = start([task], false, { isBusy: () => true });
    await tasks.drain();
    expect(task.runs).toBe(1);
    await tasks.stop();
  });

  it('go on after a failure once a while has passed, which no commit shortens', async () => {
    const task = new Scripted();
    task.script.push(new Error('broken'));
    const tasks = start([task], true);
    await expect.poll(() => task.runs).toBe(1);
    await database.transact(async (tx) => tx.wake());
    expect(task.runs).toBe(1);
    await expect
      .poll(() => {
        clock.advance(1_000);
        return task.runs;
      })
      .toBeGreaterThan(1);
    await tasks.stop();
  });

  it('tell whoever drains them of their failure', async () => {
    const task = new Scripted();
    task.script.push(new Error('broken'));
    const tasks = start([task], false);
    await expect(tasks.drain()).rejects.toThrow('broken');
    await tasks.stop();
  });

  it('stop after the step that they are in, and also before their first', async () => {
    const step = Promise.withResolvers<void>();
    const said: string[] = [];
    const slow: Task = {
      name: 'slow',
      periodMs: 1_000,
      run: async () => {
        said.push('begun');
        await step.promise;
        said.push('ended');
        return 'worked';
      },
    };
    const tasks = start([slow], true);
    await expect.poll(() => said).toEqual(['begun']);
    const stopped = tasks.stop().then(() => said.push('stopped'));
    step.resolve();
    await stopped;
    expect(said).toEqual(['begun', 'ended', 'stopped']);
    const never = new Scripted();
    await start([never], true).stop();
    expect(never.runs).toBe(0);
  });
});
