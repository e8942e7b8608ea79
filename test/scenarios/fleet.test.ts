import { afterEach, describe, expect, it } from 'vitest';
import { type Client, call } from '../../src/client/client.ts';
import {
  deploymentCreate,
  deploymentRestore,
  deploymentShow,
  deploymentStart,
} from '../../src/contract/deployments.ts';
import { grantCreate, grantDelete } from '../../src/contract/grants.ts';
import { containerList, instanceCreate, instanceList } from '../../src/contract/instances.ts';
import { principalByName } from '../../src/records/access/principals.ts';
import { agent, bindingsOf, maintainer, pushShop, regions, until } from '../support/fleet-servers.ts';
import { http } from '../support/http.ts';

describe('a deployment in another region', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('runs there, ends when its criteria are met, stays ended, and comes back when its owner restores it', async () => {
    const { home, away } = await regions(cleanups);
    const jo = await maintainer(home, 'jo', 'acme');
    const glo = await maintainer(home, 'glo', 'globex');
    const gloAway: Client = { ...glo, url: away.url };
    const digest = await pushShop(jo);

    await until(away, async () => (await principalByName(away.context.database.read, 'glo')) !== undefined);
    await until(away, async () => (await bindingsOf(away, 'glo')) > 0);
    const registered = await call(gloAway, instanceCreate, { body: { name: 'host-1', account: 'globex' } });
    await until(home, async () => (await call(glo, instanceList)).instances.length === 1);

    const terms = { grantee: 'globex', repositoryGlob: 'acme/shop' };
    await call(jo, grantCreate, { body: terms });
    const body = {
      name: 'shop',
      account: 'globex',
      reference: 'acme/shop:1',
      region: 'away',
      instance: 'host-1',
    };
    const deployment = await call(jo, deploymentCreate, { body });
    expect(deployment.eventCriteria).toMatchObject([{ source: expect.stringContaining('image sha256:') }]);

    const machine = await agent(cleanups, { away, secret: registered.secret });
    const running = async () => (await call(jo, containerList)).containers;
    await until(home, async () => (await running())[0]?.state === 'running');
    expect(await running()).toMatchObject([{ region: 'away', deployment: 'shop', manifestDigest: digest }]);

    await call(jo, grantDelete, { body: terms });
    await until(home, async () => (await running()).length === 0);
    expect(machine.containers.size).toBe(0);
    const view = await call(jo, deploymentShow, { params: { name: 'shop' } });
    expect(view).toMatchObject({
      desired: 'stopped',
      containers: [{ state: 'stopped', exitCode: 0 }],
      revocations: [{ name: 'R-1', trigger: 'the grant of its image is revoked' }],
    });

    await call(jo, grantCreate, { body: terms });
    const start = call(glo, deploymentStart, { params: { name: 'shop' } });
    await expect(start).rejects.toMatchObject({ code: 'denied', detail: { revocation: 'R-1' } });
    const refused = await http(gloAway, `GET /v2/acme/shop/manifests/${digest}`);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('R-1')]);

    await call(jo, deploymentRestore, { params: { name: 'shop' }, body: { reason: 'granted again' } });
    await until(home, async () => (await running())[0]?.state === 'running');
    expect(machine.containers.size).toBe(1);
  }, 60_000);
});
