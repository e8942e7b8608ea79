import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeRegion } from '../../test/support/fake-region.ts';
import { buildImage, buildLayer, type Image, writeLayout } from '../../test/support/oci-layout.ts';
import type { Assignment } from '../contract/agent.ts';
import { systemClock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';
import { type AgentOptions, startAgent } from './agent.ts';
import type { PullImage } from './image-pull.ts';
import { fakeMachine, openFakeRuntime } from './runtimes/fake.ts';

describe('the agent', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function world(pullImage?: PullImage) {
    const dataFolder = await mkdtemp(join(tmpdir(), 'lazaret-agent-'));
    cleanups.push(() => rm(dataFolder, { recursive: true, force: true }));
    const image: Image = buildImage({ layers: [await buildLayer([{ path: 'app', content: 'x' }])] });
    const machine = fakeMachine();
    const runtime = openFakeRuntime({ clock: systemClock, machine });
    const region = new FakeRegion();
    const copy: PullImage = async ({ digest, folder }) => {
      await writeLayout(folder, image);
      return { layoutFolder: folder, manifest: digest };
    };
    const options: AgentOptions = {
      clock: systemClock,
      bootId: 'boot-1',
      runtime,
      pullImage: pullImage ?? copy,
      dataFolder,
      link: region,
      log: () => {},
    };
    const start = async (change: Partial<AgentOptions> = {}) => {
      const agent = await startAgent({ ...options, ...change });
      cleanups.push(() => agent.stop());
      return agent;
    };
    const assignment = (action: Assignment['action'], reason: string | null = null): Assignment => ({
      ...{ deployment: 'd1', name: 'shop', action, reason, repository: 'acme/shop' },
      ...{ manifestDigest: image.manifest.digest, env: { PORT: '1' }, stopDeadlineMs: 1_000 },
    });
    return { dataFolder, image, machine, runtime, region, start, assignment };
  }

  it('runs what it is assigned, with its environment, and says so', async () => {
    const { region, start, assignment, runtime, image } = await world();
    await start();
    region.assign(assignment('run'));
    const told = await region.told('running');
    expect(told).toMatchObject({ deployment: 'd1', manifestDigest: image.manifest.digest });
    expect(runtime.specOf(told.uid)).toEqual({ env: { PORT: '1' }, hostname: 'shop' });
  });

  it('stops and removes what it is told to, and leaves no copy behind', async () => {
    const { region, start, assignment, machine, dataFolder } = await world();
    await start();
    region.assign(assignment('run'));
    await region.told('running');
    region.assign(assignment('stop', 'revoked (R-1)'));
    expect(await region.told('stopped')).toMatchObject({ exitCode: 0, message: 'revoked (R-1)' });
    expect(machine.containers.size).toBe(0);
    expect(await readdir(join(dataFolder, 'images'))).toEqual([]);
  });

  it('stops a container that is still being pulled', async () => {
    const pulling = Promise.withResolvers<void>();
    const { region, start, assignment, machine } = await world((_, signal) => {
      pulling.resolve();
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      );
    });
    await start();
    region.assign(assignment('run'));
    await pulling.promise;
    region.assign(assignment('stop'));
    await region.told('stopped');
    expect(machine.containers.size).toBe(0);
  });

  it('reports a refused pull with what the region said', async () => {
    const { region, start, assignment } = await world(async () => {
      throw new LazaretError('denied', 'quarantined (Q-1): a leaked key');
    });
    await start();
    region.assign(assignment('run'));
    expect(await region.told('refused')).toMatchObject({ message: 'quarantined (Q-1): a leaked key' });
  });

  it('starts a container that ended by itself again, after telling', async () => {
    const { region, start, assignment, runtime } = await world();
    await start();
    region.assign(assignment('run'));
    const { uid } = await region.told('running');
    runtime.exit(uid, 3, 'no disk');
    expect(await region.told('failed')).toMatchObject({ uid, exitCode: 3 });
    region.reports.length = 0;
    expect(await region.told('running')).toMatchObject({ uid });
  });

  it('adopts what runs when it is started again, and goes on without its region', async () => {
    const { region, start, assignment, machine } = await world();
    const first = await start();
    region.assign(assignment('run'));
    const { uid } = await region.told('running');
    await first.stop();
    expect(machine.containers.get(uid)?.status.state).toBe('running');
    region.broken = true;
    region.reports.length = 0;
    await start();
    region.broken = false;
    expect(await region.told('running')).toMatchObject({ uid });
    expect(machine.containers.size).toBe(1);
  });

  it('leaves what runs alone when an assignment waits or is gone', async () => {
    const { region, start, assignment, machine } = await world();
    await start();
    region.assign(assignment('run'));
    const { uid } = await region.told('running');
    region.assign(assignment('wait', 'quarantined'));
    region.assign();
    region.assign({ ...assignment('run'), deployment: 'd2' });
    region.reports.length = 0;
    await region.told('starting');
    expect(machine.containers.get(uid)?.status.state).toBe('running');
  });
});
