import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, call } from '../../src/client/client.ts';
import { deploymentCreate } from '../../src/contract/deployments.ts';
import { containerList, instanceCreate, instanceList } from '../../src/contract/instances.ts';
import { type Clock, ManualClock } from '../../src/lib/clock.ts';
import { containerList as containersOf } from '../../src/records/fleet/containers.ts';
import { instanceGet } from '../../src/records/fleet/instances.ts';
import { agent, bindingsOf, maintainer, pushShop, regions, until } from '../support/fleet-servers.ts';
import type { TestServer } from '../support/server.ts';

describe('a deployment with a lease', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('runs while its region hears home, and ends when home is gone', async () => {
    const clock = new ManualClock(Date.now());
    /**
     * The clock of the other region and its agent goes on until it is so: some ten times as fast as the real one, so that
     * it does not run ahead of what is sent over real connections on a busy machine.
     */
    const elapse = async (isSo: () => Promise<boolean>) => {
      for (let last = performance.now(); !(await isSo()); await turn()) {
        if (performance.now() - last < 25) continue;
        last = performance.now();
        clock.advance(250);
      }
    };
    const { home, away } = await regions(cleanups, { away: clock });
    const jo = await maintainer(home, 'jo', 'acme');
    await pushShop(jo);
    await elapse(async () => (await bindingsOf(away, 'jo')) > 0);
    const joAway: Client = { ...jo, url: away.url };
    const { secret } = await call(joAway, instanceCreate, { body: { name: 'host-1', account: 'acme' } });
    await until(home, async () => (await call(jo, instanceList)).instances.length === 1);
    const place = { name: 'shop', account: 'acme', region: 'away', instance: 'host-1' };
    const body = { ...place, reference: 'acme/shop:1', leaseMs: 30_000 };
    await call(jo, deploymentCreate, { body });

    const machine = await agent(cleanups, { away, secret, clock });
    const states = () => [...machine.containers.values()].map(({ status }) => status.state);
    const running = async () => (await call(jo, containerList)).containers[0]?.state === 'running';
    await elapse(running);
    const since = clock.bootMs();
    while (clock.bootMs() - since < 60_000) {
      // Time must not run ahead of what is sent over real connections.
      if (await heartbeatsAre(away, clock, { atMostMs: 12_000 })) clock.advance(250);
      await turn();
    }
    expect(states()).toEqual(['running']);

    await home.stop();
    await elapse(async () => states()[0] === 'exited');
    const told = async () => (await containersOf(away.context.database.read))[0];
    await elapse(async () => (await told())?.state === 'leaseEnded');
    expect(await told()).toMatchObject({ exitCode: 0, message: expect.stringContaining('lease ended') });
  }, 120_000);
});

/** How old the newest report, and the newest answer of home, are. */
async function heartbeatsAre(away: TestServer, clock: Clock, { atMostMs }: { atMostMs: number }) {
  const { database, leases } = away.context;
  const heardAt = (await instanceGet(database.read, 'away', 'host-1'))?.lastHeardAt ?? 0;
  const answeredMs = (await leases.elapsedMs()) ?? 0;
  return clock.wallMs() - heardAt <= atMostMs && answeredMs <= atMostMs;
}
