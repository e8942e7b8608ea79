import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../../test/support/command-line.ts';
import { pushImage } from '../../../test/support/distribution-world.ts';
import { errorCode, http } from '../../../test/support/http.ts';
import { startTestServer, type TestServer } from '../../../test/support/server.ts';
import { type Client, call } from '../../client/client.ts';
import { accountCreate, whoami } from '../../contract/access.ts';
import { principalSecret } from '../../contract/principals.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';

/** The token protocol as docker, containerd and others speak it, over real HTTP. */
const clock = new ManualClock();
let server: TestServer;
let acme: Client;
let reader: Client;
beforeAll(async () => {
  server = await startTestServer({ clock });
  await call(server.admin, accountCreate, { body: { name: 'acme' } });
  const over = { account: 'acme', repositoryGlob: null };
  acme = await server.user('acme-ci', 'acme', [{ role: 'maintainer', ...over }]);
  reader = await server.user('jo', 'acme', [{ role: 'reader', ...over }]);
  for (const name of ['acme/a', 'acme/b']) await pushImage(acme, `${name}:1`);
});
afterAll(() => server.close());

interface Answer {
  readonly token: string;
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly scope: string;
}

function namePassword({ credentials }: Client): { username: string; password: string } {
  return credentials?.kind === 'basic' ? credentials : { username: '', password: '' };
}

async function answered(response: Response): Promise<Answer> {
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

async function get(client: Client, query: string): Promise<Answer> {
  return answered(await http(client, `GET /v2/token?service=lazaret-local&${query}`));
}

function form(fields: Readonly<Record<string, string>>): Promise<Response> {
  const body = new URLSearchParams({ service: 'lazaret-local', client_id: 'test', ...fields }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return http({ url: server.url }, 'POST /v2/token', { body, headers });
}

function bearer(token: string): Client {
  return { url: server.url, credentials: { kind: 'bearer', token } };
}

async function status(client: Client, line: string): Promise<number> {
  return (await http(client, line)).status;
}

describe('a token by GET', () => {
  it.each([
    ['in several parameters', 'scope=repository:acme/a:pull&scope=repository:acme/b:pull,push'],
    ['in one parameter', `scope=${encodeURIComponent('repository:acme/a:pull repository:acme/b:pull,push')}`],
  ])('is for several scopes %s', async (_, query) => {
    const { token, access_token, scope, expires_in } = await get(acme, query);
    expect(scope).toBe('repository:acme/a:pull repository:acme/b:pull,push');
    expect([access_token, expires_in]).toEqual([token, 300]);
    expect(await status(bearer(token), 'GET /v2/acme/a/manifests/1')).toBe(200);
    expect(await status(bearer(token), 'POST /v2/acme/b/blobs/uploads/')).toBe(202);
    expect(await status(bearer(token), 'POST /v2/acme/a/blobs/uploads/')).toBe(401);
  });

  it.each([
    ['rights that the caller lacks', 'repository:acme/a:pull,push,delete', 'repository:acme/a:pull'],
    ['a repository that may not be seen', 'repository:globex/x:pull', ''],
    ['a name that is none', 'repository:No/Name:pull', ''],
    ['an unknown type', 'plugin:acme/a:pull', ''],
    ['an unknown action', 'repository:acme/a:pull,fly', 'repository:acme/a:pull'],
    ['what is no scope', 'nonsense', ''],
    ['all actions', 'repository:acme/a:*', 'repository:acme/a:pull'],
    ['the catalog', 'registry:catalog:*', 'registry:catalog:*'],
    [
      'the same repository twice',
      'repository:acme/a:pull repository:acme/a:push,pull',
      'repository:acme/a:pull',
    ],
  ])('asked for with %s is smaller, not an error', async (_, asked, scope) => {
    expect((await get(reader, `scope=${encodeURIComponent(asked)}`)).scope).toBe(scope);
  });

  it('asked for with more scopes than anybody needs is refused', async () => {
    const many = Array.from({ length: 101 }, (_, n) => `scope=repository:acme/a${n}:pull`).join('&');
    const refused = await http(reader, `GET /v2/token?${many}`);
    expect([refused.status, await errorCode(refused)]).toEqual([400, 'UNSUPPORTED']);
  });

  it('is good for the catalog only if it was asked for that', async () => {
    const { token } = await get(reader, 'scope=repository:acme/a:pull');
    const refused = await http(bearer(token), 'GET /v2/_catalog');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('scope="registry:catalog:*"');
    const catalog = await get(reader, 'scope=registry:catalog:*');
    const listed = await http(bearer(catalog.token), 'GET /v2/_catalog');
    expect(await listed.json()).toEqual({ repositories: ['acme/a', 'acme/b'] });
  });

  it('is asked for by no other method', async () => {
    expect(await status(acme, 'PUT /v2/token')).toBe(405);
  });

  it('does not open what was quarantined after it was given', async () => {
    const { layer } = await pushImage(acme, 'acme/leak:1');
    const { token } = await get(acme, 'scope=repository:acme/leak:pull,push');
    expect(await status(bearer(token), `GET /v2/acme/leak/blobs/${layer}`)).toBe(200);
    const named = ['quarantine', 'plan', '--layer', layer, '-o', 'json'];
    const { name } = JSON.parse((await lazaret(server.admin, ...named)).text);
    await lazaret(server.admin, 'quarantine', 'apply', name, '--reason', 'test');
    for (const path of [`blobs/${layer}`, 'manifests/1'])
      expect(await status(bearer(token), `GET /v2/acme/leak/${path}`)).toBe(403);
  });
});

describe('a token by POST', () => {
  const scope = 'repository:acme/a:pull repository:acme/b:pull';

  it('is given for a password', async () => {
    const given = await answered(await form({ grant_type: 'password', ...namePassword(reader), scope }));
    expect(given.scope).toBe(scope);
    expect(given.refresh_token).toBeUndefined();
    expect(await status(bearer(given.access_token), 'GET /v2/acme/b/manifests/1')).toBe(200);
  });

  it('is given for the refresh token that docker login keeps', async () => {
    const login = await get(reader, 'account=jo&client_id=docker&offline_token=true');
    const refresh = { grant_type: 'refresh_token', refresh_token: login.refresh_token ?? '', scope };
    const given = await answered(await form({ ...refresh, access_type: 'offline' }));
    expect(given.scope).toBe(scope);
    // Only the password prolongs a login.
    expect(given.refresh_token).toBeUndefined();
    expect(await status(bearer(given.access_token), 'GET /v2/acme/a/manifests/1')).toBe(200);
    const offline = { grant_type: 'password', access_type: 'offline', ...namePassword(reader) };
    expect((await answered(await form(offline))).refresh_token).toEqual(expect.any(String));
  });

  it('is not given for an access token, a broken one, or an unknown grant', async () => {
    const { access_token } = await get(reader, `scope=${encodeURIComponent(scope)}`);
    for (const refresh_token of [access_token, 'a.b.c', ''])
      expect((await form({ grant_type: 'refresh_token', refresh_token })).status).toBe(401);
    expect((await form({ grant_type: 'client_credentials' })).status).toBe(405);
    expect((await form({})).status).toBe(405);
  });
});

describe('a login by docker', () => {
  it('is a login of the command line too, until the password is changed', async () => {
    const mia = await server.user('mia', 'acme', [{ role: 'reader', account: 'acme', repositoryGlob: null }]);
    const { refresh_token = '' } = await get(mia, 'offline_token=true');
    expect(await call(bearer(refresh_token), whoami)).toMatchObject({ principal: 'mia' });
    const { password: current } = namePassword(mia);
    const change = { params: { name: 'mia' }, body: { password: 'a new long password' } };
    await expect(call(bearer(refresh_token), principalSecret, change)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await call(mia, principalSecret, { ...change, body: { ...change.body, current } });
    await expect(call(bearer(refresh_token), whoami)).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(call(mia, whoami)).rejects.toMatchObject({ code: 'unauthorized' });
    const credentials = { kind: 'basic', username: 'mia', password: 'a new long password' } as const;
    expect(await call({ url: server.url, credentials }, whoami)).toMatchObject({ principal: 'mia' });
  });

  it('tells nothing of who there is, and is braked when it is wrong too often', async () => {
    const guess = (username: string, n: number): Promise<Response> =>
      http({ url: server.url, credentials: { kind: 'basic', username, password: `guess ${n}` } }, 'GET /v2/');
    const shown = async (answer: Response) => [
      answer.status,
      [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name)),
      await answer.text(),
    ];
    for (let n = 0; n <= limits.guessesOfPair; n++) {
      const [there, not] = [await shown(await guess('acme-ci', n)), await shown(await guess('nobody', n))];
      expect(there).toEqual(not);
      if (n < limits.guessesOfPair) expect(there[0]).toBe(401);
    }
    const braked = await guess('nobody', 99);
    expect([braked.status, braked.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await braked.json()).toEqual({
      errors: [
        {
          code: 'TOOMANYREQUESTS',
          message: 'too many wrong passwords; try again in 1 s',
          detail: { retryAfterS: 1 },
        },
      ],
    });
    // Who gave the right password from here before is not held up by what others try from here.
    expect(await status(reader, 'GET /v2/')).toBe(200);
  });
});

describe('a server with a limit of requests', () => {
  it('answers 429 with Retry-After beyond it, to probes never', async () => {
    const limited = await startTestServer({
      clock,
      environment: { LAZARET_ACCESS_REQUESTS_PER_MINUTE: '3' },
    });
    for (let n = 0; n < 3; n++) expect(await status(limited.admin, 'GET /v2/')).toBe(200);
    for (const line of ['GET /v2/', 'GET /v2/token', 'GET /api/v1/whoami']) {
      const refused = await http(limited.admin, line);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '20']);
    }
    expect(await errorCode(await http(limited.admin, 'GET /v2/'))).toBe('TOOMANYREQUESTS');
    for (let n = 0; n < 5; n++) expect(await status({ url: limited.url }, 'GET /livez')).toBe(200);
    clock.advance(20_000);
    expect(await status(limited.admin, 'GET /v2/')).toBe(200);
    await limited.close();
  });
});

describe('a server behind a proxy that it trusts', () => {
  it('knows where a request comes from, and how clients reach it', async () => {
    const behind = await startTestServer({
      clock,
      environment: { LAZARET_LISTEN_TRUSTED_PROXIES: '127.0.0.0/8' },
    });
    const from = (address: string, password: string) =>
      http({ url: behind.url, credentials: { kind: 'basic', username: 'admin', password } }, 'GET /v2/', {
        headers: {
          'x-forwarded-for': address,
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'hub.example',
        },
      });
    for (let n = 0; n < limits.guessesOfPair; n++) {
      const answer = await from('192.0.2.1', `guess ${n}`);
      expect(answer.headers.get('www-authenticate')).toContain('realm="https://hub.example/v2/token"');
    }
    expect((await from('192.0.2.1', 'another')).status).toBe(429);
    expect((await from('192.0.2.2', 'another')).status).toBe(401);
    await behind.close();
  });
});
