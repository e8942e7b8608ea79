/** What is remembered of callers ends with whatever ends it, in the next request, at every server of the region. */
import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { accountOpenSet } from '../../records/access/accounts.ts';
import { permits } from '../../records/access/permits.ts';
import {
  bindingAdd,
  bindingRemove,
  principalDisableByName,
  principalExpirySet,
} from '../../records/access/principals.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { type Authenticator, openAuthenticator } from './authenticate.ts';
import { principalCreated } from './create-principal.ts';
import { signingKeyRotated } from './signing-keys.ts';
import { tokenIssued } from './tokens.ts';

const reader = { role: 'reader', account: 'acme', repositoryGlob: null } as const;
const writer = { role: 'writer', account: 'acme', repositoryGlob: null } as const;
const shop = { account: 'acme', repository: 'acme/shop' };

describeEngines('a caller that is remembered', (world) => {
  async function open() {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    await principalCreated(
      { database },
      { name: 'jo', kind: 'user', account: 'acme', bindings: [reader] },
      'test',
    );
    const { uid, security_version: securityVersion } = await database.read
      .selectFrom('principals')
      .select(['uid', 'security_version'])
      .where('name', '=', 'jo')
      .executeTakeFirstOrThrow();
    const claims = { principal: 'jo', uid, securityVersion, use: 'identity', scopes: [] } as const;
    const token = `Bearer ${await tokenIssued({ database, clock }, claims, 'test')}`;
    // Two servers of one region, each with a memory of its own.
    const servers = [0, 1].map(() =>
      openAuthenticator({ database, clock, service: 'test', anonymousPull: [] }),
    );
    const atAll = <T>(ask: (server: Authenticator) => Promise<T>) => Promise.all(servers.map(ask));
    return { clock, database, token, atAll };
  }

  const ending: Record<string, (database: Database) => Promise<unknown>> = {
    'is disabled': (database) => database.transact((tx) => principalDisableByName(tx, 'jo', 'test')),
    'gets another end': (database) => database.transact((tx) => principalExpirySet(tx, 'jo', null, 'test')),
    'has a token whose key was revoked': (database) =>
      signingKeyRotated({ database, clock: new ManualClock() }, true),
  };
  for (const [what, change] of Object.entries(ending))
    it(`is refused from the moment when it ${what}`, async () => {
      const { database, token, atAll } = await open();
      for (let often = 0; often < 2; often++) await atAll((server) => server.authenticate(token));
      await change(database);
      await atAll((server) =>
        expect(server.authenticate(token)).rejects.toMatchObject({ code: 'unauthorized' }),
      );
    });

  it('has the roles of this moment', async () => {
    const { database, token, atAll } = await open();
    const may = (action: 'pull' | 'push') =>
      atAll(async (server) => permits((await server.authenticate(token)).caller, action, shop));
    const changed = (change: (tx: Tx) => Promise<void>) => database.transact(change);
    expect([await may('pull'), await may('push')]).toEqual([
      [true, true],
      [false, false],
    ]);
    await changed((tx) => bindingAdd(tx, 'jo', writer, 'test'));
    expect(await may('push')).toEqual([true, true]);
    await changed((tx) => bindingRemove(tx, 'jo', writer, 'test'));
    expect(await may('push')).toEqual([false, false]);
    await changed((tx) => bindingRemove(tx, 'jo', reader, 'test'));
    expect(await may('pull')).toEqual([false, false]);
  });

  it('ends by the clock, though nothing happens', async () => {
    const { clock, token, atAll } = await open();
    await atAll((server) => server.authenticate(token));
    clock.advance(limits.identityTokenMs);
    await atAll((server) =>
      expect(server.authenticate(token)).rejects.toMatchObject({ code: 'unauthorized' }),
    );
  });

  it('ends with its principal, though its token goes on and nothing happens', async () => {
    const { clock, database, atAll } = await open();
    await database.transact((tx) => principalExpirySet(tx, 'jo', clock.wallMs() + 1_000, 'test'));
    const row = await database.read
      .selectFrom('principals')
      .select(['uid', 'security_version'])
      .where('name', '=', 'jo')
      .executeTakeFirstOrThrow();
    const { uid, security_version: securityVersion } = row;
    const claims = { principal: 'jo', uid, securityVersion, use: 'access', scopes: [] } as const;
    const token = `Bearer ${await tokenIssued({ database, clock }, claims, 'test')}`;
    await atAll((server) => server.authenticate(token));
    clock.advance(1_000);
    await atAll((server) =>
      expect(server.authenticate(token)).rejects.toMatchObject({ code: 'unauthorized' }),
    );
  });

  it('may be nobody, for whom an account is opened and closed', async () => {
    const { database, atAll } = await open();
    const may = () =>
      atAll(async (server) => permits((await server.authenticate(undefined)).caller, 'pull', shop));
    expect(await may()).toEqual([false, false]);
    await database.transact((tx) => accountOpenSet(tx, 'acme', true, 'test'));
    expect(await may()).toEqual([true, true]);
    await database.transact((tx) => accountOpenSet(tx, 'acme', false, 'test'));
    expect(await may()).toEqual([false, false]);
  });
});
