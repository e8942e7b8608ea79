import { readdir, readlink } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  processesNaming,
  type RuncWorld,
  runcParts,
  runcWorld,
  scripts,
  shellImage,
} from '../../../test/support/runc-world.ts';
import type { App } from '../../../test/support/runtime-contract.ts';
import { systemClock } from '../../lib/clock.ts';

beforeAll(async () => void (await runcParts()));

const isRoot = process.geteuid?.() === 0;

describe('a lease under runc', () => {
  let world: RuncWorld;
  beforeEach(async () => {
    world = await runcWorld();
  });
  afterEach(async () => world.close());

  const lend = (id: string, ms: number, onLeaseEnd: 'stop' | 'pause' = 'stop') => {
    const [bootMs, wallMs] = [systemClock.bootMs(), systemClock.wallMs()];
    const lease = { expiresAtBootMs: bootMs + ms, wallLeadMs: wallMs - bootMs, onLeaseEnd };
    return world.runtime.keepLease(id, { ...lease, stopDeadlineMs: 1_000 });
  };
  const run = async (id: string, app: App, ms: number, onLeaseEnd: 'stop' | 'pause' = 'stop') => {
    await world.runtime.prepare(id, await world.image(app));
    await lend(id, ms, onLeaseEnd);
    await world.runtime.start(id, world.spec());
    await world.ready();
  };
  const states = async () => (await world.runtime.list()).map(({ id, state }) => `${id} ${state}`);
  const patience = { timeout: 20_000, interval: 200 };

  test('ends the container without an agent, by KILL where TERM is ignored, and not while it is renewed', async () => {
    await run('obeys', 'obedient', 4_000);
    await run('renewed', 'obedient', 4_000);
    await lend('renewed', 3_600_000);
    await run('stubborn', 'stubborn', 4_000);
    const ended = ['obeys exited', 'renewed running', 'stubborn exited'];
    await expect.poll(states, patience).toEqual(ended);
    const [obeys, , stubborn] = await world.runtime.list();
    expect(obeys).toMatchObject({ exitCode: 0, leaseEnded: true });
    expect(stubborn).toMatchObject({ exitCode: 128 + 9, leaseEnded: true });
  });

  test.runIf(isRoot)('pauses it where that was chosen; it can be resumed, and stopped', async () => {
    await run('one', 'obedient', 3_000, 'pause');
    await expect.poll(states, patience).toEqual(['one paused']);
    await lend('one', 3_600_000, 'pause');
    await world.runtime.freezer?.resume('one');
    expect(await states()).toEqual(['one running']);
    await world.runtime.freezer?.pause('one');
    await world.runtime.freezer?.pause('one');
    expect(await states()).toEqual(['one paused']);
    expect(await world.runtime.stop('one', 20_000)).toMatchObject({ state: 'exited', exitCode: 0 });
  });

  test('what becomes of a container whose keeper is killed is what the runtime declares', async () => {
    await run('one', 'obedient', 3_600_000);
    const [running] = await world.runtime.list();
    for (const pid of await processesNaming(world.folder)) if (pid !== running?.pid) kill(pid);
    if (world.runtime.hardLease) await expect.poll(states, patience).toEqual(['one exited']);
    else expect(await states()).toEqual(['one running']);
  });

  test('leaves no process behind, also of what the app left', async () => {
    const orphan = `(sleep 3600 &) ; ${scripts.obedient}`;
    await world.runtime.prepare('one', await world.write('app', shellImage(orphan)));
    await lend('one', 3_600_000);
    await world.runtime.start('one', world.spec());
    await world.ready();
    const [running] = await world.runtime.list();
    const namespace = await readlink(`/proc/${running?.pid}/ns/pid`);
    expect(await processesIn(namespace)).not.toEqual([]);
    await world.runtime.stop('one', 20_000);
    await world.runtime.remove('one');
    await expect.poll(() => processesIn(namespace), patience).toEqual([]);
    await expect.poll(() => processesNaming(world.folder), patience).toEqual([]);
  });
});

/** One may have ended with another that was killed before it. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function processesIn(pidNamespace: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const own = await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
      return own === pidNamespace ? [pid] : [];
    }),
  );
  return found.flat();
}
