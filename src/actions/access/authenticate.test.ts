import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { principalAdd, principalDisableByName, principalSecretSet } from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { openAuthenticator } from './authenticate.ts';
import { principalCreated } from './create-principal.ts';
import { opaqueSecretHash, passwordHash } from './secrets.ts';
import { parseScopes, tokenIssued } from './tokens.ts';

const writer = { role: 'writer', account: 'acme', repositoryGlob: null } as const;

function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}

function authenticatorOf(database: Database, clock: ManualClock, anonymousPull: readonly string[] = []) {
  return openAuthenticator({ database, clock, service: 'test', anonymousPull });
}

describeEngines('authentication', (world) => {
  async function open() {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    const request = { name: 'jo', kind: 'user', account: 'acme', bindings: [writer] } as const;
    const { secret } = await principalCreated({ database }, request, 'test');
    return { clock, database, secret, authenticator: authenticatorOf(database, clock) };
  }

  it('knows a user by name and password, with the roles of this moment', async () => {
    const { authenticator, secret } = await open();
    expect(await authenticator.authenticate(basic('jo', secret))).toEqual({
      caller: { principal: 'jo', kind: 'user', account: 'acme', bindings: [writer] },
      scopes: null,
    });
  });

  it('takes whoever gives nothing for anonymous, with what is open to everyone', async () => {
    const { authenticator, clock, database } = await open();
    expect((await authenticator.authenticate(undefined)).caller).toMatchObject({
      kind: 'anonymous',
      bindings: [],
    });
    const { caller } = await authenticatorOf(database, clock, ['public/*']).authenticate(undefined);
    expect(caller.bindings).toEqual([{ role: 'reader', account: null, repositoryGlob: 'public/*' }]);
  });

  it.each([
    ['a wrong password', basic('jo', 'wrong')],
    ['a name that nobody has', basic('someone', 'x')],
    ['an unknown scheme', 'Digest x'],
    ['Basic without a colon', `Basic ${Buffer.from('jo').toString('base64')}`],
    ['a token of someone else', 'Bearer a.b.c'],
    ['an unknown instance', 'Bearer 0190.secret'],
  ])('refuses %s', async (_, header) => {
    const { authenticator } = await open();
    await expect(authenticator.authenticate(header)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('refuses who was disabled at once, also with a password that was just taken', async () => {
    const { authenticator, database, secret } = await open();
    await authenticator.authenticate(basic('jo', secret));
    await database.transact((tx) => principalDisableByName(tx, 'jo', 'test'));
    await expect(authenticator.authenticate(basic('jo', secret))).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('refuses an old password at once when it was changed', async () => {
    const { authenticator, database, secret } = await open();
    await authenticator.authenticate(basic('jo', secret));
    const hash = await passwordHash('new');
    await database.transact((tx) => principalSecretSet(tx, 'jo', hash, 'test'));
    await expect(authenticator.authenticate(basic('jo', secret))).rejects.toMatchObject({
      code: 'unauthorized',
    });
    expect((await authenticator.authenticate(basic('jo', 'new'))).caller.principal).toBe('jo');
  });

  it('knows a region by name, and an instance by its uid, with an opaque secret', async () => {
    const { authenticator, database } = await open();
    const secretHash = opaqueSecretHash('hush');
    const common = { account: null, secretHash, bindings: [] };
    await database.transact((tx) =>
      principalAdd(tx, { ...common, name: 'region/us', kind: 'region' }, 'test'),
    );
    const uid = await database.transact((tx) =>
      principalAdd(tx, { ...common, name: 'instance/us/one', kind: 'instance' }, 'test'),
    );
    expect((await authenticator.authenticate(basic('region/us', 'hush'))).caller.kind).toBe('region');
    expect((await authenticator.authenticate(`Bearer ${uid}.hush`)).caller.kind).toBe('instance');
    await expect(authenticator.authenticate(`Bearer ${uid}.other`)).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('takes a token for five minutes, with its scopes, while its principal is enabled', async () => {
    const { authenticator, clock, database } = await open();
    const scopes = parseScopes(['repository:acme/shop:pull,push']);
    const token = await tokenIssued({ database, clock }, { principal: 'jo', scopes }, 'test');
    expect(await authenticator.authenticate(`Bearer ${token}`)).toMatchObject({
      caller: { principal: 'jo' },
      scopes,
    });
    clock.advance(301_000);
    await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const fresh = await tokenIssued({ database, clock }, { principal: 'jo', scopes }, 'test');
    await database.transact((tx) => principalDisableByName(tx, 'jo', 'test'));
    await expect(authenticator.authenticate(`Bearer ${fresh}`)).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('refuses a token that was made for another service', async () => {
    const { authenticator, clock, database } = await open();
    const token = await tokenIssued({ database, clock }, { principal: 'jo', scopes: [] }, 'other');
    await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });
});
