import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { type DistributionWorld, openDistributionWorld, pushBlob } from '../support/distribution-world.ts';
import { http } from '../support/http.ts';

/** distribution-spec, "Mounting a blob from another repository". */
let world: DistributionWorld;
beforeAll(async () => {
  world = await openDistributionWorld();
});
afterAll(() => world.server.close());

it('a blob is mounted from the repository that is named, by either of its digests', async () => {
  const digest = await pushBlob(world.acme, 'acme/source', 'by name');
  await mount(world.acme, { into: 'acme/named', digest, from: 'acme/source' }, 201);
  const sha512 = sha512Of('by name, long');
  await pushWith(world.acme, 'acme/source', { content: 'by name, long', digest: sha512 });
  const mounted = await mount(world.acme, { into: 'acme/named', digest: sha512, from: 'acme/source' }, 201);
  expect(mounted.headers.get('docker-content-digest')).toBe(sha512);
  const fetched = await http(world.acme, `GET ${mounted.headers.get('location')}`);
  expect(await fetched.text()).toBe('by name, long');
});

it('a blob is mounted from wherever the caller may read it when no repository is named', async () => {
  const digest = await pushBlob(world.acme, 'acme/somewhere', 'from anywhere');
  const mounted = await mount(world.acme, { into: 'acme/anywhere', digest }, 201);
  expect(mounted.headers.get('location')).toBe(`/v2/acme/anywhere/blobs/${digest}`);
  expect((await http(world.acme, `HEAD /v2/acme/anywhere/blobs/${digest}`)).status).toBe(200);
});

it('what the caller may not read is as if it were not there, named or not', async () => {
  const digest = await pushBlob(world.acme, 'acme/secret', 'nobody else’s');
  const unknown = digestOf('never pushed');
  const asked = [
    { into: 'globex/x', digest, from: 'acme/secret' },
    { into: 'globex/x', digest },
    { into: 'globex/x', digest: unknown, from: 'acme/secret' },
    { into: 'globex/x', digest: unknown, from: 'acme/never' },
    { into: 'globex/x', digest: unknown },
  ];
  for (const each of asked) {
    const begun = await mount(world.stranger, each, 202);
    expect([...begun.headers.keys()].sort()).toEqual(headersOfBegun);
    const location = begun.headers.get('location') ?? '';
    expect((await http(world.stranger, `GET ${location}`)).status).toBe(204);
    expect((await http(world.stranger, `DELETE ${location}`)).status).toBe(204);
  }
});

it('a token that is not for the source is asked to be one for both, and then it is mounted', async () => {
  const digest = await pushBlob(world.acme, 'acme/there', 'with a token');
  const push = 'repository:acme/here:pull,push';
  const narrow = await tokenFor(world.acme, [push]);
  for (const from of ['acme/there', undefined]) {
    const refused = await mount(narrow, { into: 'acme/here', digest, from }, 401);
    const scopes = `${push} repository:acme/there:pull`;
    expect(refused.headers.get('www-authenticate')).toContain(`scope="${scopes}"`);
    const wide = await tokenFor(world.acme, [scopes]);
    await mount(wide, { into: 'acme/here', digest, from }, 201);
    expect((await http(world.acme, `DELETE /v2/acme/here/blobs/${digest}`)).status).toBe(202);
  }
  const stranger = await tokenFor(world.stranger, ['repository:globex/y:pull,push']);
  await mount(stranger, { into: 'globex/y', digest, from: 'acme/there' }, 202);
  await mount(stranger, { into: 'globex/y', digest }, 202);
});

const headersOfBegun = [
  'connection',
  'content-length',
  'date',
  'docker-distribution-api-version',
  'docker-upload-uuid',
  'keep-alive',
  'location',
  'range',
  'x-request-id',
];

interface Mount {
  readonly into: string;
  readonly digest: string;
  readonly from?: string | undefined;
}

async function mount(client: Client, { into, digest, from }: Mount, status: number): Promise<Response> {
  const query = from === undefined ? '' : `&from=${from}`;
  const response = await http(client, `POST /v2/${into}/blobs/uploads/?mount=${digest}${query}`);
  expect(response.status).toBe(status);
  return response;
}

async function pushWith(
  client: Client,
  repository: string,
  { content, digest }: { readonly content: string; readonly digest: string },
): Promise<void> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  expect((await http(client, `POST ${path}`, { body: content })).status).toBe(201);
}

async function tokenFor({ url, credentials }: Client, scopes: readonly string[]): Promise<Client> {
  const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&');
  const response = await http({ url, credentials }, `GET /v2/token?${query}`);
  const { token }: { token: string } = JSON.parse(await response.text());
  return { url, credentials: { kind: 'bearer', token } };
}

function sha512Of(content: string): string {
  return `sha512:${createHash('sha512').update(content).digest('hex')}`;
}
