import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeRegion } from '../../test/support/fake-region.ts';
import { buildImage, buildLayer, writeLayout } from '../../test/support/oci-layout.ts';
import type { Assignment } from '../contract/agent.ts';
import type { OnLeaseEnd } from '../contract/fleet.ts';
import { ManualClock } from '../lib/clock.ts';
import { type AgentOptions, startAgent } from './agent.ts';
import { fakeMachine, openFakeRuntime } from './runtimes/fake.ts';

describe('an agent with leases', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function world(onLeaseEnd: OnLeaseEnd = 'stop') {
    const dataFolder = await mkdtemp(join(tmpdir(), 'lazaret-agent-'));
    cleanups.push(() => rm(dataFolder, { recursive: true, force: true }));
    const image = buildImage({ layers: [await buildLayer([{ path: 'app', content: 'x' }])] });
    const clock = new ManualClock();
    const machine = fakeMachine();
    const runtime = openFakeRuntime({ clock, machine });
    const region = new FakeRegion();
    region.remainingMs = 30_000;
    const options: AgentOptions = {
      ...{ clock, runtime, dataFolder, bootId: 'boot-1', link: region, log: () => {} },
      pullImage: async ({ digest, folder }) => {
        await writeLayout(folder, image);
        return { layoutFolder: folder, manifest: digest };
      },
    };
    const assignment = (action: Assignment['action'] = 'run'): Assignment => ({
      ...{ deployment: 'd1', name: 'shop', action, reason: null, repository: 'acme/shop' },
      ...{ manifestDigest: image.manifest.digest, env: {}, stopDeadlineMs: 1_000 },
      lease: { leaseMs: 30_000, onLeaseEnd },
    });
    const start = async (change: Partial<AgentOptions> = {}) => {
      const agent = await startAgent({ ...options, ...change });
      cleanups.push(() => agent.stop());
      return agent;
    };
    /** Lets time go on whenever the agent's loops sleep, until it is so. */
    const until = async (isSo: () => boolean) => {
      while (!isSo()) {
        if (clock.sleeping >= 2) clock.advance(500);
        await turn();
      }
    };
    const states = () => [...machine.containers.values()].map(({ status }) => status.state);
    const told = () => region.reports.at(-1)?.containers[0];
    const run = async () => {
      const agent = await start();
      region.assign(assignment());
      await until(() => told()?.state === 'running');
      return agent;
    };
    return { clock, machine, runtime, region, assignment, start, until, states, told, run };
  }

  it('starts what needs a lease only with one', async () => {
    const { clock, region, start, assignment, until, states } = await world();
    const since = clock.bootMs();
    region.remainingMs = undefined;
    await start();
    region.assign(assignment());
    await until(() => region.reports.length > 3);
    expect(states()).toEqual([]);
    // Not asked for more often than every few seconds.
    expect(clock.bootMs() - since).toBeGreaterThanOrEqual(5_000);
    region.remainingMs = 30_000;
    await until(() => states()[0] === 'running');
  });

  it('runs on while it is renewed', async () => {
    const { clock, run, region, until, states } = await world();
    await run();
    const since = clock.bootMs();
    await until(() => clock.bootMs() - since > 120_000);
    expect(states()).toEqual(['running']);
    expect(region.reports.length).toBeGreaterThan(10);
  });

  it('ends it within the lease when its region is cut off, and starts it again with a new lease', async () => {
    const { clock, run, region, until, states, told } = await world();
    await run();
    region.broken = true;
    const since = clock.bootMs();
    await until(() => states()[0] === 'exited');
    expect(clock.bootMs() - since).toBeGreaterThan(20_000);
    region.broken = false;
    await until(() => told()?.state === 'leaseEnded' || states()[0] === 'running');
    const reported = region.reports.flatMap(({ containers }) => containers);
    expect(reported.find(({ state }) => state === 'leaseEnded')).toMatchObject({
      message: expect.stringContaining('lease ended'),
      stoppedAt: expect.any(Number),
    });
    await until(() => told()?.state === 'running');
    expect(states()).toEqual(['running']);
  });

  it('ends it also when its region answers but can not hear home', async () => {
    const { run, region, until, told } = await world();
    await run();
    region.remainingMs = undefined;
    await until(() => told()?.state === 'leaseEnded');
  });

  it('pauses it where that was chosen, and resumes it with a new lease', async () => {
    const { run, region, until, states, told } = await world('pause');
    await run();
    region.remainingMs = undefined;
    await until(() => told()?.state === 'paused');
    expect(states()).toEqual(['paused']);
    region.remainingMs = 30_000;
    await until(() => told()?.state === 'running');
    expect(states()).toEqual(['running']);
  });

  it('stops what is paused when it is told to', async () => {
    const { run, region, assignment, until, machine, told } = await world('pause');
    await run();
    region.remainingMs = undefined;
    await until(() => told()?.state === 'paused');
    region.assign(assignment('stop'));
    await until(() => machine.containers.size === 0);
  });

  it('keeps it where that was chosen', async () => {
    const { clock, run, region, until, states } = await world('keep');
    await run();
    region.broken = true;
    const since = clock.bootMs();
    await until(() => clock.bootMs() - since > 120_000);
    expect(states()).toEqual(['running']);
  });

  it('pauses it after the machine was paused, until its lease is renewed', async () => {
    const { clock, run, region, until, states } = await world();
    await run();
    region.broken = true;
    clock.pauseMachine(60_000);
    await until(() => states()[0] === 'paused');
    region.broken = false;
    await until(() => states()[0] === 'running');
  });

  it('adopts what runs on a lease that still stands when it is started again', async () => {
    const { run, region, start, clock, until, states, machine, told } = await world();
    const first = await run();
    await first.stop();
    const [uid] = machine.containers.keys();
    region.reports.length = 0;
    await start();
    await until(() => told()?.state === 'running');
    expect(told()?.uid).toBe(uid);
    region.broken = true;
    const since = clock.bootMs();
    await until(() => states()[0] === 'exited');
    expect(clock.bootMs() - since).toBeLessThan(120_000);
  });

  it('finds what the keeper ended while no agent lived, and says that its lease had ended', async () => {
    const { run, region, runtime, start, clock, until, states, told } = await world();
    const first = await run();
    await first.stop();
    region.reports.length = 0;
    region.remainingMs = undefined;
    runtime.keepersLook();
    expect(states()).toEqual(['running']);
    clock.advance(30_000);
    runtime.keepersLook();
    expect(states()).toEqual(['exited']);
    await start();
    await until(() => told()?.state === 'leaseEnded');
    expect(told()).toMatchObject({ message: expect.stringContaining('keeper'), exitCode: 0 });
  });

  it('ends what is of another boot before it does anything else', async () => {
    const { run, region, start, states, until, told } = await world();
    const first = await run();
    await first.stop();
    region.reports.length = 0;
    region.broken = true;
    await start({ bootId: 'boot-2' });
    expect(states()).toEqual(['exited']);
    region.broken = false;
    await until(() => told()?.state === 'running');
  });
});
