import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { accountEnsure, accountOpenSet } from '../../records/access/accounts.ts';
import { permits } from '../../records/access/permits.ts';
import {
  principalAdd,
  principalByName,
  principalDisableByName,
  principalEnableByName,
  principalExpirySet,
  principalRemove,
  principalSecretSet,
} from '../../records/access/principals.ts';
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
      by: 'secret',
      scopes: null,
      subject: { principal: 'jo', uid: expect.any(String), securityVersion: 1 },
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
    const { authenticator, clock, database, token } = await openTokens();
    const access = await token('access');
    expect(await authenticator.authenticate(`Bearer ${access}`)).toMatchObject({
      caller: { principal: 'jo' },
      by: 'accessToken',
      scopes,
    });
    clock.advance(301_000);
    await refused(authenticator.authenticate(`Bearer ${access}`));
    const fresh = await token('access');
    await database.transact((tx) => principalDisableByName(tx, 'jo', 'test'));
    await refused(authenticator.authenticate(`Bearer ${fresh}`));
    await database.transact((tx) => principalEnableByName(tx, 'jo', 'test'));
    await refused(authenticator.authenticate(`Bearer ${fresh}`));
  });

  it.each(['access', 'identity'] as const)('refuses an %s token once the secret was changed', async (use) => {
    const { authenticator, database, token } = await openTokens();
    const before = await token(use);
    await authenticator.authenticate(`Bearer ${before}`);
    const hash = await passwordHash('new');
    await database.transact((tx) => principalSecretSet(tx, 'jo', hash, 'test'));
    await refused(authenticator.authenticate(`Bearer ${before}`));
  });

  it('refuses the token of somebody removed, also when somebody else gets the name', async () => {
    const { authenticator, database, token } = await openTokens();
    const before = await token('access');
    await database.transact((tx) => principalRemove(tx, 'jo', 'test'));
    await refused(authenticator.authenticate(`Bearer ${before}`));
    const request = { name: 'jo', kind: 'user', account: 'acme', bindings: [writer] } as const;
    await principalCreated({ database }, request, 'test');
    await refused(authenticator.authenticate(`Bearer ${before}`));
  });

  it('takes an identity token for 90 days, as the password', async () => {
    const { authenticator, clock, token } = await openTokens();
    const identity = await token('identity');
    clock.advance(89 * 86_400_000);
    expect(await authenticator.authenticate(`Bearer ${identity}`)).toMatchObject({
      caller: { principal: 'jo', bindings: [writer] },
      by: 'identityToken',
      scopes: null,
    });
    clock.advance(86_400_000);
    await refused(authenticator.authenticate(`Bearer ${identity}`));
  });

  it('refuses a robot and its tokens once it has expired', async () => {
    const { authenticator, clock, database, secret, token } = await openTokens();
    await database.transact((tx) => principalExpirySet(tx, 'jo', clock.wallMs() + 60_000, 'test'));
    const access = await token('access');
    await authenticator.authenticate(`Bearer ${access}`);
    clock.advance(60_000);
    await refused(authenticator.authenticate(`Bearer ${access}`));
    await refused(authenticator.authenticate(basic('jo', secret)));
  });

  it('refuses a token that was made for another service', async () => {
    const { authenticator, token } = await openTokens();
    await refused(authenticator.authenticate(`Bearer ${await token('access', 'other')}`));
  });

  it('lets everyone pull what an account opens, and takes it back at once', async () => {
    const { authenticator, database, secret } = await open();
    await database.transact((tx) => accountEnsure(tx, 'globex', 'test'));
    await database.transact((tx) => accountOpenSet(tx, 'globex', true, 'test'));
    const shop = { account: 'globex', repository: 'globex/shop/app' };
    for (const header of [undefined, basic('jo', secret)]) {
      const { caller } = await authenticator.authenticate(header);
      expect(permits(caller, 'pull', shop)).toBe(true);
      expect(permits(caller, 'push', shop)).toBe(false);
      expect(permits(caller, 'pull', { account: 'globex', repository: null })).toBe(false);
      expect(permits(caller, 'pull', { account: 'initech', repository: 'initech/x' })).toBe(false);
    }
    await database.transact((tx) => accountOpenSet(tx, 'globex', false, 'test'));
    expect(permits((await authenticator.authenticate(undefined)).caller, 'pull', shop)).toBe(false);
  });

  it('looks once at a password that comes many times at the same moment', async () => {
    const { authenticator, secret } = await open();
    const asked = Array.from({ length: 40 }, () =>
      authenticator.authenticate(basic('jo', secret), '10.0.0.1'),
    );
    expect((await Promise.all(asked)).map(({ by }) => by)).toEqual(
      Array.from({ length: 40 }, () => 'secret'),
    );
  });

  it('turns away who would wait too long for their password to be looked at', async () => {
    const { authenticator, secret } = await open();
    const count = limits.passwordChecksAtOnce + limits.passwordChecksWaitingMax + 200;
    const asked = Array.from({ length: count }, (_, n) =>
      authenticator.authenticate(basic(`name${n}`, 'guess'), `10.0.${n >> 8}.${n & 255}`),
    );
    const codes = (await Promise.allSettled(asked)).map((one) =>
      one.status === 'rejected' && one.reason instanceof LazaretError ? one.reason.code : one.status,
    );
    const turnedAway = codes.filter((code) => code === 'tooManyRequests').length;
    expect(turnedAway).toBeGreaterThan(0);
    expect(codes.filter((code) => code === 'unauthorized')).toHaveLength(count - turnedAway);
    expect((await authenticator.authenticate(basic('jo', secret))).by).toBe('secret');
  });

  it.each(['jo', 'nobody'])('brakes guesses at the password of %s, in the same words', async (name) => {
    const { authenticator, clock, secret } = await open();
    for (let guess = 0; guess < limits.guessesOfPair; guess++)
      await refused(authenticator.authenticate(basic(name, `guess ${guess}`), '10.0.0.1'));
    await expect(authenticator.authenticate(basic(name, secret), '10.0.0.1')).rejects.toMatchObject({
      code: 'tooManyRequests',
      message: 'too many wrong passwords; try again in 1 s',
      detail: { retryAfterS: 1 },
    });
    clock.advance(1_000);
    const answer = authenticator.authenticate(basic(name, secret), '10.0.0.1');
    if (name === 'jo') expect((await answer).by).toBe('secret');
    else await refused(answer);
  });

  async function openTokens() {
    const world = await open();
    const { authenticator, clock, database, secret } = world;
    const { subject } = await authenticator.authenticate(basic('jo', secret));
    const token = async (use: 'access' | 'identity', service = 'test') => {
      const now = await principalByName(database.read, 'jo');
      const securityVersion = now?.securityVersion ?? subject.securityVersion;
      return tokenIssued({ database, clock }, { ...subject, securityVersion, use, scopes }, service);
    };
    return { ...world, token };
  }
});

const scopes = parseScopes(['repository:acme/shop:pull,push']);

async function refused(answer: Promise<unknown>): Promise<void> {
  await expect(answer).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringMatching(
      /^the (user name or password is wrong, or it is disabled|token is not valid)/,
    ),
  });
}
