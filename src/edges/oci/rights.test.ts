import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDistributionWorld, pushBlob, pushImage } from '../../../test/support/distribution-world.ts';
import { errorCode, http } from '../../../test/support/http.ts';
import type { TestServer } from '../../../test/support/server.ts';
import type { Client } from '../../client/client.ts';
import { grantSet } from '../../records/access/grants.ts';

/** Who may do what through the distribution API, over real HTTP. */
let server: TestServer;
let acme: Client;
let reader: Client;
let stranger: Client;
beforeAll(async () => {
  ({ server, acme, reader, stranger } = await openDistributionWorld());
});
afterAll(() => server.close());

describe('a repository', () => {
  it('answers as if it did not exist to whoever may not see it', async () => {
    const { layer } = await pushImage(acme, 'acme/secret:1');
    for (const path of ['manifests/1', `blobs/${layer}`, 'tags/list', `referrers/${layer}`]) {
      const known = await http(stranger, `GET /v2/acme/secret/${path}`);
      expect([known.status, await errorCode(known)]).toEqual([404, 'NAME_UNKNOWN']);
      const unknown = await http({ url: server.url }, `GET /v2/acme/secret/${path}`);
      expect(unknown.status).toBe(401);
      expect(unknown.headers.get('www-authenticate')).toContain('scope="repository:acme/secret:pull"');
    }
  });

  it('tells who may only pull that pushing is denied', async () => {
    await pushImage(acme, 'acme/secret:1');
    expect((await http(reader, 'GET /v2/acme/secret/manifests/1')).status).toBe(200);
    const push = await http(reader, 'POST /v2/acme/secret/blobs/uploads/');
    expect([push.status, await errorCode(push)]).toEqual([403, 'DENIED']);
    const remove = await http(reader, 'DELETE /v2/acme/secret/manifests/1');
    expect(remove.status).toBe(403);
  });

  it('can be pulled from by whom its owner granted it', async () => {
    const { layer, digest } = await pushImage(acme, 'acme/granted:1');
    const terms = { owner: 'acme', grantee: 'globex', repositoryGlob: 'acme/granted' };
    await server.context.database.transact((tx) => grantSet(tx, terms, 'test'));
    expect((await http(stranger, `GET /v2/acme/granted/manifests/${digest}`)).status).toBe(200);
    expect((await http(stranger, `GET /v2/acme/granted/blobs/${layer}`)).status).toBe(200);
    expect((await http(stranger, 'POST /v2/acme/granted/blobs/uploads/')).status).toBe(403);
    const unneeded = await pushBlob(acme, 'acme/granted', 'not of an image');
    expect((await http(stranger, `GET /v2/acme/granted/blobs/${unneeded}`)).status).toBe(404);
  });

  it('of an account that does not exist yet appears with the operator’s push, and with nobody else’s', async () => {
    expect((await http(server.admin, 'POST /v2/fresh/app/blobs/uploads/')).status).toBe(202);
    expect((await http(acme, 'POST /v2/fresher/app/blobs/uploads/')).status).toBe(404);
  });

  it.each(['/v2/Acme/x/tags/list', '/v2/a//b/tags/list', '/v2/acme/%ff/tags/list'])(
    'is not named %s',
    async (path) => {
      const response = await http(acme, `GET ${path}`);
      expect([response.status, await errorCode(response)]).toEqual([400, 'NAME_INVALID']);
    },
  );
});

describe('a token', () => {
  async function tokenFor(client: Client, scope: string): Promise<Client> {
    const response = await http(client, `GET /v2/token?service=lazaret-local&scope=${scope}`);
    expect(response.status).toBe(200);
    const { token }: { token: string } = JSON.parse(await response.text());
    return { url: server.url, credentials: { kind: 'bearer', token } };
  }

  it('does what it was asked for, and nothing else that its owner may do', async () => {
    await pushImage(acme, 'acme/tokens:1');
    const token = await tokenFor(acme, 'repository:acme/tokens:pull');
    expect((await http(token, 'GET /v2/acme/tokens/manifests/1')).status).toBe(200);
    const push = await http(token, 'POST /v2/acme/tokens/blobs/uploads/');
    expect(push.status).toBe(401);
    expect(push.headers.get('www-authenticate')).toContain('scope="repository:acme/tokens:pull,push"');
    expect((await http(token, 'GET /v2/acme/secret/manifests/1')).status).toBe(401);
    expect((await http(token, 'GET /api/v1/whoami')).status).toBe(401);
  });

  it('holds only what its owner may do', async () => {
    const token = await tokenFor(reader, 'repository:acme/tokens:pull,push');
    expect((await http(token, 'GET /v2/acme/tokens/manifests/1')).status).toBe(200);
    expect((await http(token, 'POST /v2/acme/tokens/blobs/uploads/')).status).toBe(403);
  });

  it('is given for the form that containerd posts', async () => {
    const { username, password } =
      reader.credentials?.kind === 'basic' ? reader.credentials : { username: '', password: '' };
    const form = new URLSearchParams({
      grant_type: 'password',
      service: 'lazaret-local',
      username,
      password,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await http({ url: server.url }, 'POST /v2/token', { body: form.toString(), headers });
    expect(await response.json()).toMatchObject({ access_token: expect.any(String), expires_in: 300 });
  });

  it('is not given to strangers or for wrong passwords', async () => {
    expect((await http({ url: server.url }, 'GET /v2/token')).status).toBe(401);
    const wrong = {
      url: server.url,
      credentials: { kind: 'basic', username: 'jo', password: 'no' },
    } as const;
    expect((await http(wrong, 'GET /v2/token')).status).toBe(401);
  });
});
