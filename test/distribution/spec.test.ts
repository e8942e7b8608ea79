import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { limits } from '../../src/lib/limits.ts';
import {
  configType,
  type DistributionWorld,
  manifestType,
  openDistributionWorld,
  pushBlob,
} from '../support/distribution-world.ts';
import { errorCode, http } from '../support/http.ts';

/** distribution-spec, its parts in turn; what a table of refusals says is beside it. */
let world: DistributionWorld;
let acme: Client;
beforeAll(async () => {
  world = await openDistributionWorld();
  acme = world.acme;
});
afterAll(() => world.server.close());

const indexType = 'application/vnd.oci.image.index.v1+json';
const algorithms = ['sha256', 'sha512'] as const;
const named = (content: string | Uint8Array, algorithm: string) =>
  `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;

const begin = async (query = '') => {
  const begun = await http(acme, `POST /v2/acme/shop/blobs/uploads/${query}`);
  expect([begun.status, begun.headers.get('range')]).toEqual([202, '0-0']);
  return begun.headers.get('location') ?? '';
};
const patch = (location: string, body: string, range?: string) =>
  http(acme, `PATCH ${location}`, { body, headers: range === undefined ? {} : { 'content-range': range } });

/** Each way to push these bytes. @returns the closing answer */
const ways: Readonly<Record<string, (content: string, digest: string) => Promise<Response>>> = {
  'one POST': (body, digest) => http(acme, `POST /v2/acme/shop/blobs/uploads/?digest=${digest}`, { body }),
  'POST and PUT': async (body, digest) => http(acme, `PUT ${await begin()}?digest=${digest}`, { body }),
  'POST that names the algorithm, and PUT': async (body, digest) =>
    http(acme, `PUT ${await begin(`?digest-algorithm=${digest.split(':')[0]}`)}?digest=${digest}`, { body }),
  'a streamed PATCH': async (content, digest) => {
    const location = await begin();
    expect((await patch(location, content)).status).toBe(202);
    return http(acme, `PUT ${location}?digest=${digest}`);
  },
  'chunks, one of them again and one too early': async (content, digest) => {
    const location = await begin();
    const half = Math.floor(content.length / 2);
    const last = content.length - 1;
    const first = await patch(location, content.slice(0, half), `0-${half - 1}`);
    expect([first.status, first.headers.get('range')]).toEqual([202, `0-${half - 1}`]);
    expect(first.headers.get('location')).toBe(location);
    for (const range of [`0-${half - 1}`, `${half + 1}-${half + half}`]) {
      const refused = await patch(location, 'x'.repeat(half), range);
      expect([refused.status, await errorCode(refused)]).toEqual([416, 'BLOB_UPLOAD_INVALID']);
      expect([refused.headers.get('range'), refused.headers.get('location')]).toEqual([
        `0-${half - 1}`,
        location,
      ]);
    }
    const status = await http(acme, `GET ${location}`);
    expect([status.status, status.headers.get('range')]).toEqual([204, `0-${half - 1}`]);
    const headers = { 'content-range': `${half}-${last}` };
    return http(acme, `PUT ${location}?digest=${digest}`, { body: content.slice(half), headers });
  },
};

describe.each(algorithms)('a blob by %s', (algorithm) => {
  it.each(Object.keys(ways))('is pushed by %s, and is at the place that is told', async (way) => {
    const content = `pushed by ${way} as ${algorithm}`;
    const digest = named(content, algorithm);
    const closed = await ways[way]?.(content, digest);
    expect([closed?.status, closed?.headers.get('docker-content-digest')]).toEqual([201, digest]);
    const location = closed?.headers.get('location') ?? '';
    const got = await http(acme, `GET ${location}`);
    expect([got.status, await got.text()]).toEqual([200, content]);
    for (const answer of [got, await http(acme, `HEAD ${location}`)]) {
      expect(answer.headers.get('content-length')).toBe(String(content.length));
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
      expect(answer.headers.get('etag')).toBe(`"${digest}"`);
    }
    expect(
      (await http(acme, `GET ${location}`, { headers: { 'if-none-match': `W/"${digest}"` } })).status,
    ).toBe(304);
    const part = { range: 'bytes=2-4', 'if-range': `"${digest}"` };
    expect(await (await http(acme, `GET ${location}`, { headers: part })).text()).toBe(content.slice(2, 5));
    const other = { range: 'bytes=2-4', 'if-range': '"other"' };
    expect((await http(acme, `GET ${location}`, { headers: other })).status).toBe(200);
    expect((await http(acme, `DELETE ${location}`)).status).toBe(202);
    for (const method of ['GET', 'HEAD', 'DELETE'])
      expect((await http(acme, `${method} ${location}`)).status).toBe(404);
  });

  it('may be empty', async () => {
    const digest = named('', algorithm);
    expect((await http(acme, `PUT ${await begin()}?digest=${digest}`)).status).toBe(201);
    const got = await http(acme, `GET /v2/acme/shop/blobs/${digest}`);
    expect([got.status, got.headers.get('content-length'), await got.text()]).toEqual([200, '0', '']);
    for (const range of ['bytes=0-', 'bytes=0-511', 'bytes=-1'])
      expect((await http(acme, `GET /v2/acme/shop/blobs/${digest}`, { headers: { range } })).status).toBe(
        200,
      );
  });
});

it('an upload is nobody’s but its principal’s, in its repository; who cancels it ends it', async () => {
  const location = await begin();
  const elsewhere = location.replace('acme/shop', 'acme/other');
  const { admin } = world.server;
  for (const [client, path] of [
    [acme, elsewhere],
    [admin, location],
  ] as const)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const refused = await http(client, `${method} ${path}`, method === 'PATCH' ? { body: 'x' } : {});
      expect([refused.status, await errorCode(refused)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    }
  expect((await http(acme, `DELETE ${location}`)).status).toBe(204);
  expect((await http(acme, `GET ${location}`)).status).toBe(404);
});

it('the same digest that two accounts upload at once is stored once, and both succeed', async () => {
  const content = 'shared '.repeat(100_000);
  const digest = named(content, 'sha256');
  const pushes = [
    [acme, 'acme/shop'],
    [acme, 'acme/twin'],
    [world.stranger, 'globex/shop'],
  ] as const;
  const closed = await Promise.all(
    pushes.map(([client, repository]) =>
      http(client, `POST /v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content }),
    ),
  );
  expect(closed.map((each) => each.status)).toEqual([201, 201, 201]);
  const rows = await world.server.context.database.read
    .selectFrom('blobs')
    .select('id')
    .where('digest', '=', digest)
    .execute();
  expect(rows).toHaveLength(1);
  for (const [client, repository] of pushes)
    expect((await http(client, `HEAD /v2/${repository}/blobs/${digest}`)).status).toBe(200);
});

interface Put {
  readonly repository?: string;
  readonly reference?: string;
  readonly type?: string;
  readonly algorithm?: string;
}

const put = (
  body: string,
  { repository = 'acme/shop', reference, type = manifestType, algorithm = 'sha256' }: Put = {},
) =>
  http(acme, `PUT /v2/${repository}/manifests/${reference ?? named(body, algorithm)}`, {
    body,
    headers: { 'content-type': type },
  });

const imageOf = async (more: Record<string, unknown> = {}, repository = 'acme/shop') => {
  const config = {
    mediaType: configType,
    digest: await pushBlob(acme, repository, configText),
    size: configText.length,
  };
  return JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [], ...more });
};
const configText = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
});
const describing = (body: string, algorithm = 'sha256', mediaType = manifestType) => ({
  mediaType,
  digest: named(body, algorithm),
  size: body.length,
});

describe.each(algorithms)('a manifest by %s', (algorithm) => {
  it('is tagged by parameters, each echoed, and answers with the digest that was asked with, or pushed', async () => {
    const body = await imageOf({ annotations: { of: algorithm } });
    const digest = named(body, algorithm);
    const pushed = await put(body, { reference: `${digest}?tag=${algorithm}-a&tag=${algorithm}-b` });
    expect([pushed.status, pushed.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect(pushed.headers.get('oci-tag')).toBe(`${algorithm}-a, ${algorithm}-b`);
    for (const reference of [digest, `${algorithm}-a`, `${algorithm}-b`])
      for (const method of ['GET', 'HEAD']) {
        const got = await http(acme, `${method} /v2/acme/shop/manifests/${reference}`);
        expect([got.status, got.headers.get('docker-content-digest')]).toEqual([200, digest]);
        expect(got.headers.get('content-type')).toBe(manifestType);
        expect(got.headers.get('content-length')).toBe(String(body.length));
        expect(got.headers.get('etag')).toBe(`"${digest}"`);
        expect(await got.text()).toBe(method === 'GET' ? body : '');
      }
    const other = named(body, 'sha256');
    const byOther = await http(acme, `GET /v2/acme/shop/manifests/${other}`);
    expect(byOther.headers.get('docker-content-digest')).toBe(other);
    const fetched = await http(acme, `GET ${pushed.headers.get('location')}`);
    expect(await fetched.text()).toBe(body);
    expect((await http(acme, `DELETE /v2/acme/shop/manifests/${algorithm}-a`)).status).toBe(202);
    expect((await http(acme, `HEAD /v2/acme/shop/manifests/${algorithm}-a`)).status).toBe(404);
    expect((await http(acme, `DELETE /v2/acme/shop/manifests/${digest}`)).status).toBe(202);
    for (const reference of [digest, other, `${algorithm}-b`])
      expect((await http(acme, `GET /v2/acme/shop/manifests/${reference}`)).status).toBe(404);
  });

  it('has its referrers, also those that came before it, filtered by type', async () => {
    const body = await imageOf({ annotations: { subject: algorithm } });
    const digest = named(body, algorithm);
    const list = (query = '', repository = 'acme/shop') =>
      http(acme, `GET /v2/${repository}/referrers/${digest}${query}`);
    const before = await list();
    expect([before.status, before.headers.get('content-type')]).toEqual([200, indexType]);
    expect(await before.json()).toEqual({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    expect((await list('', 'acme/not-yet')).status).toBe(200);
    const subject = describing(body, algorithm);
    const signature = await imageOf({
      subject,
      artifactType: 'application/x.signature',
      annotations: { a: 'b' },
    });
    const sbom = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [],
      subject,
      artifactType: 'application/x.sbom',
    });
    expect((await put(signature)).headers.get('oci-subject')).toBe(digest);
    expect((await put(sbom, { type: indexType })).headers.get('oci-subject')).toBe(digest);
    await put(body, { algorithm });
    const all: { manifests: unknown[] } = JSON.parse(await (await list()).text());
    expect(all.manifests).toHaveLength(2);
    const filtered = await list('?artifactType=application/x.signature');
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
    const { size } = describing(signature);
    expect(JSON.parse(await filtered.text()).manifests).toEqual([
      { ...describing(signature), size, artifactType: 'application/x.signature', annotations: { a: 'b' } },
    ]);
    const first = await list('?n=1');
    const next = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
    const second = await http(acme, `GET ${next}`);
    expect(
      [JSON.parse(await first.text()), JSON.parse(await second.text())].flatMap((page) => page.manifests),
    ).toEqual(all.manifests);
  });
});

describe('a manifest', () => {
  it('is kept byte for byte, with fields that nobody knows, embedded data and all 4 MiB', async () => {
    const data = { mediaType: 'application/x.small', digest: named('{}', 'sha256'), size: 2, data: 'e30=' };
    await pushBlob(acme, 'acme/shop', '{}');
    const odd = `${JSON.stringify(JSON.parse(await imageOf({ layers: [data], 'org.x': [1, { a: null }] })), null, 3)}\n`;
    const base = (await imageOf({ annotations: { a: '' } })).length;
    const large = await imageOf({ annotations: { a: 'x'.repeat(limits.manifestBytesMax - base) } });
    expect(large.length).toBe(4 * 1024 * 1024);
    for (const body of [odd, large]) {
      expect((await put(body)).status).toBe(201);
      expect(await (await http(acme, `GET /v2/acme/shop/manifests/${named(body, 'sha256')}`)).text()).toBe(
        body,
      );
    }
    expect((await put(`${large} `)).status).toBe(413);
  });

  it('may be a sparse, a nested or an empty index, name layers that are nowhere to be pushed, and be Docker’s', async () => {
    const empty = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    const inner = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [describing(empty, 'sha256', indexType), describing('absent')],
    });
    const outer = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [describing(inner, 'sha256', indexType)],
    });
    for (const index of [empty, inner, outer])
      expect((await put(index, { type: indexType })).status).toBe(201);
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest: named('foreign', 'sha256'),
      size: 7,
    };
    expect((await put(await imageOf({ layers: [foreign] }))).status).toBe(201);
    const dockerType = 'application/vnd.docker.distribution.manifest.v2+json';
    const docker = JSON.parse(await imageOf());
    docker.mediaType = dockerType;
    docker.config.mediaType = 'application/vnd.docker.container.image.v1+json';
    const dockerBody = JSON.stringify(docker);
    expect((await put(dockerBody, { reference: 'docker', type: dockerType })).status).toBe(201);
    const listType = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const list = JSON.stringify({
      schemaVersion: 2,
      mediaType: listType,
      manifests: [describing(dockerBody, 'sha256', dockerType)],
    });
    const pushed = await put(list, { reference: 'docker-list', type: listType });
    expect(pushed.status).toBe(201);
    const got = await http(acme, 'GET /v2/acme/shop/manifests/docker-list');
    expect(got.headers.get('content-type')).toBe(listType);
    const old = JSON.stringify({ schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [], history: [] });
    const refused = await put(old, {
      reference: 'old',
      type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    });
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining('schema 1 is not supported'),
    ]);
  });
});

it('tags and repositories are listed in pages, and whoever may not see a repository is not told of it', async () => {
  const body = await imageOf({}, 'acme/paged');
  const names = ['B', 'a', 'b', 'c'];
  for (const reference of names) await put(body, { repository: 'acme/paged', reference });
  const tags = async (query: string) => (await http(acme, `GET /v2/acme/paged/tags/list${query}`)).json();
  expect(await tags('')).toEqual({ name: 'acme/paged', tags: names });
  expect(await tags('?n=2')).toEqual({ name: 'acme/paged', tags: ['B', 'a'] });
  expect(await tags('?n=2&last=a')).toEqual({ name: 'acme/paged', tags: ['b', 'c'] });
  expect(await tags('?last=aa')).toEqual({ name: 'acme/paged', tags: ['b', 'c'] });
  expect(await tags('?n=0')).toEqual({ name: 'acme/paged', tags: [] });
  const seen: string[] = [];
  for (let path: string | undefined = '/v2/_catalog?n=1'; path !== undefined; ) {
    const page: Response = await http(world.reader, `GET ${path}`);
    expect(page.headers.get('content-type')).toBe('application/json');
    seen.push(...JSON.parse(await page.text()).repositories);
    path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
  }
  expect(seen).toContain('acme/paged');
  expect(seen.every((name) => name.startsWith('acme/'))).toBe(true);
  expect(await (await http(world.stranger, 'GET /v2/_catalog')).json()).toEqual({
    repositories: ['globex/shop'],
  });
});
