import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  configType,
  manifestType,
  openDistributionWorld,
  pushBlob,
  pushImage,
} from '../../../test/support/distribution-world.ts';
import { errorCode, http } from '../../../test/support/http.ts';
import type { TestServer } from '../../../test/support/server.ts';
import { authorization, type Client } from '../../client/client.ts';
import { limits } from '../../lib/limits.ts';
import { digestOf } from '../../oci/digest.ts';

/** The distribution API over real HTTP, as docker, containerd and skopeo speak it. */
let server: TestServer;
let acme: Client;
let reader: Client;
let stranger: Client;
beforeAll(async () => {
  ({ server, acme, reader, stranger } = await openDistributionWorld());
});
afterAll(() => server.close());

describe('the base', () => {
  it('challenges whoever gives no credentials, and takes those that are right', async () => {
    const anyone = await http({ url: server.url }, 'GET /v2/');
    expect([anyone.status, await errorCode(anyone)]).toEqual([401, 'UNAUTHORIZED']);
    expect(anyone.headers.get('www-authenticate')).toBe(
      `Bearer realm="${server.url}/v2/token",service="lazaret-local"`,
    );
    const known = await http(acme, 'GET /v2/');
    expect([known.status, known.headers.get('docker-distribution-api-version')]).toEqual([
      200,
      'registry/2.0',
    ]);
    expect(known.headers.get('www-authenticate')).toBeNull();
    const wrong = {
      url: server.url,
      credentials: { kind: 'basic', username: 'jo', password: 'no' },
    } as const;
    expect((await http(wrong, 'GET /v2/')).status).toBe(401);
  });
});

describe('an upload', () => {
  it('goes chunk by chunk, tells how far it is, and is closed by its digest', async () => {
    const digest = digestOf('hello world');
    const begun = await http(acme, 'POST /v2/acme/shop/blobs/uploads/');
    expect(begun.status).toBe(202);
    const location = begun.headers.get('location') ?? '';
    expect(location).toContain(begun.headers.get('docker-upload-uuid') ?? '?');
    const chunk = (body: string, range: string) =>
      http(acme, `PATCH ${location}`, { body, headers: { 'content-range': range } });
    const first = await chunk('hello ', '0-5');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-5']);
    const gap = await chunk('x', '9-9');
    expect([gap.status, gap.headers.get('range'), await errorCode(gap)]).toEqual([
      416,
      '0-5',
      'BLOB_UPLOAD_INVALID',
    ]);
    const status = await http(acme, `GET ${location}`);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-5']);
    expect((await chunk('world', '6-10')).status).toBe(202);
    const closed = await http(acme, `PUT ${location}?digest=${digest}`);
    expect([closed.status, closed.headers.get('location')]).toEqual([201, `/v2/acme/shop/blobs/${digest}`]);
    expect((await http(acme, `GET ${location}`)).status).toBe(404);
    expect(await (await http(acme, `GET /v2/acme/shop/blobs/${digest}`)).text()).toBe('hello world');
  });

  it('goes in one POST', async () => {
    const digest = digestOf('one');
    const response = await http(acme, `POST /v2/acme/shop/blobs/uploads/?digest=${digest}`, { body: 'one' });
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, digest]);
  });

  it('is refused when its digest is another, and nothing is kept', async () => {
    const digest = digestOf('promised');
    const begun = await http(acme, 'POST /v2/acme/shop/blobs/uploads/');
    const closed = await http(acme, `PUT ${begun.headers.get('location')}?digest=${digest}`, {
      body: 'delivered',
    });
    expect([closed.status, await errorCode(closed)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await http(acme, `HEAD /v2/acme/shop/blobs/${digest}`)).status).toBe(404);
  });

  it('goes on where it was cut off', async () => {
    const begun = await http(acme, 'POST /v2/acme/shop/blobs/uploads/');
    const location = begun.headers.get('location') ?? '';
    const content = 'half done, '.repeat(700_000); // more than the buffers between client and server hold
    await cutOff(`PATCH ${location}`, content.slice(0, -1));
    const stands = async () =>
      Number((await http(acme, `GET ${location}`)).headers.get('range')?.slice('0-'.length));
    await expect.poll(stands).toBeGreaterThan(0);
    const resume = async () => {
      const from = (await stands()) + 1;
      const headers = { 'content-range': `${from}-${content.length - 1}` };
      return (await http(acme, `PATCH ${location}`, { body: content.slice(from), headers })).status;
    };
    await expect.poll(resume).toBe(202); // until the server has noticed the end of the first
    const digest = digestOf(content);
    expect((await http(acme, `PUT ${location}?digest=${digest}`)).status).toBe(201);
  });

  it('ends when it is cancelled', async () => {
    const begun = await http(acme, 'POST /v2/acme/shop/blobs/uploads/');
    const location = begun.headers.get('location') ?? '';
    expect((await http(acme, `DELETE ${location}`)).status).toBe(204);
    expect((await http(acme, `GET ${location}`)).status).toBe(404);
  });

  it('is spared by a mount from where the caller may pull, and not from elsewhere', async () => {
    const digest = await pushBlob(acme, 'acme/shop', 'shared');
    const mounted = await http(acme, `POST /v2/acme/pay/blobs/uploads/?mount=${digest}&from=acme/shop`);
    expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/acme/pay/blobs/${digest}`]);
    const refused = await http(stranger, `POST /v2/globex/x/blobs/uploads/?mount=${digest}&from=acme/shop`);
    expect(refused.status).toBe(202);
    expect((await http(stranger, `HEAD /v2/globex/x/blobs/${digest}`)).status).toBe(404);
  });

  /** Sends the head of a request and a part of its body; hangs up when the server has taken most of it. */
  function cutOff(line: string, part: string): Promise<void> {
    const { authorization: header = '' } = authorization(acme.credentials);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const head = `${line} HTTP/1.1\r\nhost: x\r\nauthorization: ${header}\r\ncontent-length: ${part.length + 1}\r\n\r\n`;
    return new Promise((resolve) => {
      socket.on('close', () => resolve());
      socket.write(head + part, () => socket.destroy());
    });
  }
});

describe('a blob', () => {
  it('tells its size, and is served whole, in part, or not at all when it is known', async () => {
    const digest = await pushBlob(acme, 'acme/shop', '0123456789');
    const path = `/v2/acme/shop/blobs/${digest}`;
    const head = await http(acme, `HEAD ${path}`);
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
      200,
      '10',
      `"${digest}"`,
    ]);
    const get = (headers: Record<string, string>) => http(acme, `GET ${path}`, { headers });
    const part = await get({ range: 'bytes=2-4' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    expect(await (await get({ range: 'bytes=8-99' })).text()).toBe('89');
    expect(await (await get({ range: 'bytes=-3' })).text()).toBe('789');
    expect((await get({ range: 'bytes=0-1,3-4' })).status).toBe(200);
    const beyond = await get({ range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    expect((await get({ 'if-none-match': `"${digest}"` })).status).toBe(304);
  });

  it('is served only in a repository that holds it', async () => {
    const digest = await pushBlob(acme, 'acme/shop', 'mine');
    const elsewhere = await http(acme, `GET /v2/acme/other/blobs/${digest}`);
    expect([elsewhere.status, await errorCode(elsewhere)]).toEqual([404, 'BLOB_UNKNOWN']);
  });
});

describe('a manifest', () => {
  it('is pulled by tag and by digest, with its headers, and listed', async () => {
    const { digest, body } = await pushImage(acme, 'acme/listed:1');
    for (const reference of ['1', digest]) {
      const got = await http(acme, `GET /v2/acme/listed/manifests/${reference}`);
      expect([got.status, got.headers.get('content-type')]).toEqual([200, manifestType]);
      expect(got.headers.get('docker-content-digest')).toBe(digest);
      expect(await got.text()).toBe(body);
      const head = await http(acme, `HEAD /v2/acme/listed/manifests/${reference}`);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(body.length)]);
    }
    await pushImage(acme, 'acme/listed:2');
    expect(await (await http(acme, 'GET /v2/acme/listed/tags/list')).json()).toEqual({
      name: 'acme/listed',
      tags: ['1', '2'],
    });
    const page = await http(acme, 'GET /v2/acme/listed/tags/list?n=1');
    expect(page.headers.get('link')).toBe('</v2/acme/listed/tags/list?n=1&last=1>; rel="next"');
    const catalog: { repositories: string[] } = JSON.parse(
      await (await http(reader, 'GET /v2/_catalog')).text(),
    );
    expect(catalog.repositories).toContain('acme/listed');
    expect(await (await http(stranger, 'GET /v2/_catalog?n=5')).json()).toEqual({
      repositories: ['globex/x'],
    });
  });

  it('is found as a referrer of its subject', async () => {
    const { digest, body } = await pushImage(acme, 'acme/signed:1');
    const referrer = JSON.stringify({
      ...JSON.parse(body),
      artifactType: 'application/x.signature',
      subject: { mediaType: manifestType, digest, size: body.length },
      annotations: { by: 'jo' },
    });
    const put = await http(acme, `PUT /v2/acme/signed/manifests/${digestOf(referrer)}`, {
      body: referrer,
      headers: { 'content-type': manifestType },
    });
    expect([put.status, put.headers.get('oci-subject')]).toEqual([201, digest]);
    const path = `/v2/acme/signed/referrers/${digest}?artifactType=application/x.signature`;
    const list = await http(acme, `GET ${path}`);
    expect(list.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await list.json()).toMatchObject({
      schemaVersion: 2,
      manifests: [
        { digest: digestOf(referrer), artifactType: 'application/x.signature', annotations: { by: 'jo' } },
      ],
    });
  });

  it('is gone at once when it was deleted', async () => {
    const { digest } = await pushImage(acme, 'acme/gone:1');
    expect((await http(acme, `DELETE /v2/acme/gone/manifests/${digest}`)).status).toBe(202);
    for (const reference of ['1', digest])
      expect((await http(acme, `GET /v2/acme/gone/manifests/${reference}`)).status).toBe(404);
  });

  it.each([
    ['no JSON', '{', 400, 'MANIFEST_INVALID'],
    ['too large', ' '.repeat(limits.manifestBytesMax + 1), 413, 'MANIFEST_INVALID'],
    ['naming an unknown blob', unknownBlobManifest(), 404, 'MANIFEST_BLOB_UNKNOWN'],
  ])('is refused when it is %s', async (_, body, status, code) => {
    const headers = { 'content-type': manifestType };
    const put = await http(acme, 'PUT /v2/acme/shop/manifests/bad', { body, headers });
    expect([put.status, await errorCode(put)]).toEqual([status, code]);
    expect((await http(acme, 'GET /v2/acme/shop/manifests/bad')).status).toBe(404);
  });

  function unknownBlobManifest(): string {
    const blob = { mediaType: configType, digest: digestOf('nowhere'), size: 7 };
    return JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: blob, layers: [] });
  }
});
