import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { caller } from '../../../test/support/fleet.ts';
import { openRegion, pushImage, TestFollower } from '../../../test/support/regions.ts';
import { ManualClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { instanceAdd, instanceGet } from '../../records/fleet/instances.ts';
import { deploymentStop } from './change-deployment.ts';
import { type DeploymentRequest, deploymentCreate } from './create-deployment.ts';
import { leaseAnswer } from './lease-answer.ts';
import { LeaseBasis } from './lease-basis.ts';

const owner = caller('jo', 'maintainer', 'acme');
const never = new AbortController().signal;
const shop: DeploymentRequest = {
  ...{ name: 'shop', account: 'acme', reference: 'acme/shop:1', region: 'away', instance: 'host-1' },
  leaseMs: 30_000,
};

describeEngines('leases between regions', (engine) => {
  /** Home, and another region with an instance whose deployment has a lease of 30 s. */
  async function world(request: Partial<DeploymentRequest> = {}) {
    const clock = new ManualClock();
    const home = await openRegion(engine, { name: 'home', peers: ['away'], clock });
    const away = await openRegion(engine, { name: 'away', peers: ['home'], clock });
    await pushImage(home, { text: 'one' });
    await away.database.transact((tx) => instanceAdd(tx, { name: 'host-1', account: 'acme', actor: 'jo' }));
    const toAway = new TestFollower(away, home);
    const toHome = new TestFollower(home, away);
    await toHome.catchUp();
    const homeDeps = { ...home, region: 'home' };
    await deploymentCreate(homeDeps, owner, { ...shop, ...request });
    await toAway.catchUp();
    const problems: string[] = [];
    const basisOf = () =>
      new LeaseBasis({
        ...away,
        primary: toAway.link,
        onProblem: (error) => void problems.push(error.message),
      });
    const leases = basisOf();
    const instance = await instanceGet(away.database.read, 'away', 'host-1');
    if (!instance) throw new Error('no instance');
    const remaining = async (basis = leases) => {
      const answer = await leaseAnswer({ database: away.database, leases: basis }, instance);
      return answer.leases?.[0]?.remainingMs;
    };
    const stop = () => deploymentStop(homeDeps, owner, { name: 'shop' });
    return { clock, home, away, toAway, leases, basisOf, remaining, stop, problems, instance };
  }

  it('are not granted before home has answered', async () => {
    const { remaining, leases } = await world();
    expect(await remaining()).toBeUndefined();
    await leases.ask(never);
    expect(await remaining()).toBe(30_000);
  });

  it('count from when home was asked, however late it answers', async () => {
    const { clock, remaining, leases, toAway } = await world();
    const answer = Promise.withResolvers<void>();
    const head = toAway.link.head.bind(toAway.link);
    toAway.link.head = async () => {
      const heads = await head();
      await answer.promise;
      return heads;
    };
    const asked = leases.ask(never);
    clock.advance(12_000);
    answer.resolve();
    await asked;
    expect(await remaining()).toBe(18_000);
  });

  it('count only once the quarantine lane is applied up to the head of the answer', async () => {
    const { clock, remaining, leases, stop, toAway, away, instance } = await world();
    await leases.ask(never);
    clock.advance(10_000);
    await stop();
    await leases.ask(never);
    expect(await remaining()).toBe(20_000);
    clock.advance(5_000);
    expect(await remaining()).toBe(15_000);
    await toAway.catchUp();
    const { assignments, leases: renewed } = await leaseAnswer({ database: away.database, leases }, instance);
    expect(assignments).toMatchObject([{ action: 'stop' }]);
    expect(renewed).toEqual([]);
  });

  it('run out when home is not heard any more', async () => {
    const { clock, remaining, leases, toAway } = await world();
    await leases.ask(never);
    toAway.link.down = true;
    clock.advance(29_999);
    await expect(leases.ask(never)).rejects.toThrow(LazaretError);
    expect(await remaining()).toBe(1);
    clock.advance(1);
    expect(await remaining()).toBeUndefined();
  });

  it('are not renewed by a restarted region until home has answered it', async () => {
    const { remaining, leases, basisOf } = await world();
    await leases.ask(never);
    const restarted = basisOf();
    expect(await remaining(restarted)).toBeUndefined();
    await restarted.ask(never);
    expect(await remaining(restarted)).toBe(30_000);
  });

  it('lose the time that the region’s machine was paused', async () => {
    const { clock, remaining, leases } = await world();
    await leases.ask(never);
    clock.pauseMachine(25_000);
    clock.advance(1_000);
    expect(await remaining()).toBe(4_000);
  });

  it('are asked for every few seconds, and a silent home is told once', async () => {
    const { clock, leases, toAway, problems, remaining } = await world();
    toAway.link.down = true;
    const stopping = new AbortController();
    const keeping = leases.keep(stopping.signal);
    for (const down of [true, true, false]) {
      toAway.link.down = down;
      await expect.poll(() => clock.sleeping).toBe(1);
      clock.advance(5_000);
    }
    await expect.poll(() => clock.sleeping).toBe(1);
    expect(problems).toHaveLength(1);
    expect(await remaining()).toBe(30_000);
    stopping.abort();
    await keeping;
  });

  it('are whole in the primary region itself', async () => {
    const { home, clock, remaining } = await world();
    const own = new LeaseBasis({ ...home, primary: undefined, onProblem: () => {} });
    await own.ask(never);
    clock.advance(100_000);
    expect(await remaining(own)).toBe(30_000);
  });

  it('are not asked for where none was chosen', async () => {
    const { away, instance, leases } = await world({ leaseMs: undefined });
    expect(await leaseAnswer({ database: away.database, leases }, instance)).toEqual({});
  });

  it('are refused when they are too short, or only their end is chosen', async () => {
    await expect(world({ leaseMs: 29_999 })).rejects.toMatchObject({
      code: 'invalid',
      detail: { path: 'leaseMs' },
    });
    await expect(world({ leaseMs: undefined, onLeaseEnd: 'pause' })).rejects.toMatchObject({
      code: 'invalid',
      detail: { path: 'onLeaseEnd' },
    });
  });
});
