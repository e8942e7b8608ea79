import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { pushImage } from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import { type Client, call } from '../client/client.ts';
import { whoami } from '../contract/access.ts';
import { ManualClock } from '../lib/clock.ts';

const day = 86_400_000;
const clock = new ManualClock();
let server: TestServer;
let boss: Client;
beforeAll(async () => {
  server = await startTestServer({ clock });
  await lazaret(server.admin, 'account', 'add', 'acme');
  await lazaret(server.admin, 'account', 'add', 'globex');
  boss = await server.user('boss', 'acme', [{ role: 'admin', account: 'acme', repositoryGlob: null }]);
});
afterAll(() => server.close());

function client(username: string, password: string): Client {
  return { url: server.url, credentials: { kind: 'basic', username, password } };
}

function secretIn(text: string): string {
  return /shown this once: (\S+)/.exec(text)?.[1] ?? '';
}

describe('a robot', () => {
  it('is made by its account’s admin, pushes where it may, and ends when it was said to', async () => {
    const made = await lazaret(
      boss,
      ...['robot', 'create', 'acme', 'ci', '--repository', 'acme/web/**', '--role', 'writer'],
      ...['--expires', '90d'],
    );
    expect(made.text).toMatch(/^acme\+ci is writer of acme\/web\/\*\*, until 2026-04-01 00:00:00 UTC\n/);
    const robot = client('acme+ci', secretIn(made.text));
    await pushImage(robot, 'acme/web/shop:1');
    expect((await http(robot, 'GET /v2/acme/web/shop/manifests/1')).status).toBe(200);
    expect((await http(robot, 'POST /v2/acme/other/blobs/uploads/')).status).toBe(404);
    clock.advance(90 * day);
    expect((await http(robot, 'GET /v2/acme/web/shop/manifests/1')).status).toBe(401);
    await expect(lazaret(boss, 'robot', 'renew', 'acme+ci')).rejects.toMatchObject({ code: 'invalid' });
    const renewed = await lazaret(boss, 'robot', 'renew', 'acme+ci', '--expires', 'never');
    const again = client('acme+ci', secretIn(renewed.text));
    expect((await http(again, 'GET /v2/acme/web/shop/manifests/1')).status).toBe(200);
    expect((await http(robot, 'GET /v2/acme/web/shop/manifests/1')).status).toBe(401);
  });

  it('is listed, disabled, enabled and removed', async () => {
    const made = await lazaret(boss, 'robot', 'create', 'acme', 'scan', '--role', 'reader');
    const robot = client('acme+scan', secretIn(made.text));
    expect((await lazaret(boss, 'robot', 'ls')).text).toMatch(
      /acme\+scan +acme +reader of everything of acme/,
    );
    await lazaret(boss, 'robot', 'disable', 'acme+scan');
    await expect(call(robot, whoami)).rejects.toMatchObject({ code: 'unauthorized' });
    await lazaret(boss, 'robot', 'enable', 'acme+scan');
    expect(await call(robot, whoami)).toMatchObject({ principal: 'acme+scan', kind: 'robot' });
    await lazaret(boss, 'robot', 'rm', 'acme+scan');
    await expect(call(robot, whoami)).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await lazaret(boss, 'robot', 'ls')).text).not.toContain('acme+scan');
  });

  it('has a name that says whose it is, which nobody else can have', async () => {
    await expect(lazaret(boss, 'robot', 'create', 'globex', 'ci')).rejects.toMatchObject({ code: 'denied' });
    await expect(lazaret(server.admin, 'user', 'add', 'acme+me')).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('roles', () => {
  it('are given and taken back per account and per glob', async () => {
    const jo = await server.user('jo-roles', 'acme', []);
    await pushImage(server.admin, 'acme/a/x:1');
    await pushImage(server.admin, 'acme/b/x:1');
    const status = async (path: string) => (await http(jo, `GET /v2/acme/${path}/manifests/1`)).status;
    expect([await status('a/x'), await status('b/x')]).toEqual([404, 404]);
    const over = ['--account', 'acme', '--repository', 'acme/a/*'];
    const given = await lazaret(boss, 'role', 'grant', 'jo-roles', '--role', 'reader', ...over);
    expect(given.text).toBe('jo-roles is reader of acme/a/*');
    expect([await status('a/x'), await status('b/x')]).toEqual([200, 404]);
    expect((await lazaret(boss, 'role', 'ls')).text).toMatch(/jo-roles +acme +reader of acme\/a\/\*/);
    await lazaret(boss, 'role', 'revoke', 'jo-roles', '--role', 'reader', ...over);
    expect(await status('a/x')).toBe(404);
    const again = lazaret(boss, 'role', 'revoke', 'jo-roles', '--role', 'reader', ...over);
    await expect(again).rejects.toMatchObject({ code: 'notFound' });
    const broken = lazaret(boss, 'role', 'grant', 'jo-roles', '--account', 'acme', '--repository', '{a');
    await expect(broken).rejects.toMatchObject({ code: 'invalid' });
  });

  it('are given by an account’s admin over nothing but the account, to nobody but its own', async () => {
    await server.user('jo-globex', 'globex', []);
    await server.user('jo-both', 'acme', [{ role: 'reader', account: 'globex', repositoryGlob: null }]);
    const grant = (name: string, ...more: string[]) =>
      lazaret(boss, 'role', 'grant', name, '--role', 'admin', ...more);
    await server.user('jo-acme', 'acme', []);
    await expect(grant('jo-acme')).rejects.toMatchObject({ code: 'denied' });
    await expect(grant('jo-acme', '--account', 'globex')).rejects.toMatchObject({ code: 'denied' });
    const message = (name: string) => `there is no user or robot '${name}' that you administer`;
    for (const name of ['jo-globex', 'nobody', 'admin'])
      await expect(grant(name, '--account', 'acme')).rejects.toMatchObject({
        code: 'notFound',
        message: message(name),
      });
    // Somebody of acme who may also do something elsewhere: a new password would give that away.
    await expect(lazaret(boss, 'user', 'renew', 'jo-both')).rejects.toMatchObject({ code: 'denied' });
    await expect(lazaret(boss, 'user', 'add', 'new')).rejects.toMatchObject({ code: 'denied' });
    const reader = await server.user('jo-reader', 'acme', [
      { role: 'reader', account: 'acme', repositoryGlob: null },
    ]);
    for (const argv of [
      ['role', 'ls'],
      ['user', 'disable', 'jo-acme'],
      ['user', 'renew', 'boss'],
    ])
      await expect(lazaret(reader, ...argv)).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('an account', () => {
  it('lets everyone pull when its admin says so, and nobody push', async () => {
    await pushImage(server.admin, 'acme/open:1');
    const anyone: Client = { url: server.url };
    const asked = 'GET /v2/token?scope=repository:acme/open:pull,push';
    expect((await http(anyone, asked)).status).toBe(401);
    const opened = await lazaret(boss, 'account', 'set', 'acme', '--anonymous-pull', 'yes');
    expect(opened.text).toBe('account acme: everyone may pull');
    const given: { scope: string; token: string } = JSON.parse(await (await http(anyone, asked)).text());
    expect(given.scope).toBe('repository:acme/open:pull');
    const pull: Client = { url: server.url, credentials: { kind: 'bearer', token: given.token } };
    expect((await http(pull, 'GET /v2/')).status).toBe(200);
    expect((await http(pull, 'GET /v2/acme/open/manifests/1')).status).toBe(200);
    expect((await http(pull, 'POST /v2/acme/open/blobs/uploads/')).status).toBe(401);
    const stranger = await server.user('stranger', 'globex', []);
    expect((await http(stranger, 'GET /v2/acme/open/manifests/1')).status).toBe(200);
    await lazaret(boss, 'account', 'set', 'acme', '--anonymous-pull', 'no');
    expect((await http(pull, 'GET /v2/acme/open/manifests/1')).status).toBe(401);
    expect((await http(stranger, 'GET /v2/acme/open/manifests/1')).status).toBe(404);
    await expect(lazaret(stranger, 'account', 'set', 'acme')).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('signing keys', () => {
  it('are changed by the operator, with or without an end of what the old ones signed', async () => {
    const token = async (): Promise<Client> => {
      const text = await (await http(server.admin, 'GET /v2/token')).text();
      const given: { token: string } = JSON.parse(text);
      return { url: server.url, credentials: { kind: 'bearer', token: given.token } };
    };
    const status = async (who: Client) => (await http(who, 'GET /v2/')).status;
    const first = await token();
    expect((await lazaret(server.admin, 'signing-key', 'rotate')).text).toContain('stays good until its end');
    expect(await status(first)).toBe(200);
    await lazaret(server.admin, 'signing-key', 'rotate', '--revoke');
    expect(await status(first)).toBe(401);
    expect(await status(await token())).toBe(200);
    expect((await lazaret(server.admin, 'signing-key', 'ls')).text.split('\n')).toHaveLength(4);
    await expect(lazaret(boss, 'signing-key', 'rotate')).rejects.toMatchObject({ code: 'denied' });
  });
});
