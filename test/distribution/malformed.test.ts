import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorization, type Client } from '../../src/client/client.ts';
import { errorCodes } from '../../src/lib/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';
import {
  configType,
  type DistributionWorld,
  manifestType,
  openDistributionWorld,
  pushBlob,
  pushImage,
} from '../support/distribution-world.ts';
import { http } from '../support/http.ts';
import { freshDatabase, template } from '../support/postgres.ts';
import { type Malformed, malformed } from './malformed.ts';
import { malformedManifests } from './malformed-manifests.ts';

let world: DistributionWorld;
let known: Readonly<Record<string, string>>;
const cleanups: (() => unknown)[] = [];

async function open(engine: 'sqlite' | 'postgres'): Promise<void> {
  const database = engine === 'postgres' ? await freshDatabase({ from: template }) : undefined;
  if (database) cleanups.push(database.drop);
  world = await openDistributionWorld(database && { environment: { LAZARET_DATABASE_URL: database.url } });
  cleanups.push(world.server.close);
  const blob = await pushBlob(world.acme, 'acme/shop', '0123456789');
  const { digest: image } = await pushImage(world.acme, 'acme/shop:1');
  const begun = await http(world.acme, 'POST /v2/acme/shop/blobs/uploads/');
  const session = begun.headers.get('location') ?? '';
  expect((await http(world.acme, `PATCH ${session}`, { body: 'four' })).status).toBe(202);
  known = { blob, image, session, none: digestOf('nowhere') };
}

it('malformed requests are at least 150', () => {
  expect(malformed.length + malformedManifests.length).toBeGreaterThanOrEqual(150);
});

describe.each(['sqlite', 'postgres'] as const)('a malformed request, on %s,', (engine) => {
  beforeAll(() => open(engine));
  afterAll(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it.each([...malformed, ...malformedManifests].map((each) => [titleOf(each), each] as const))(
    '%s',
    async (_title, asked) => {
      const { status, headers, body } = await answered(world.acme, asked);
      const { errors } = JSON.parse(body);
      expect([status, errors[0].code]).toEqual([asked.status, asked.code]);
      expect(headers['content-type']).toBe('application/json');
      expect(Number(headers['content-length'])).toBe(Buffer.byteLength(body));
      expect(errors).toEqual([
        {
          code: asked.code,
          message: expect.stringMatching(/./),
          ...('detail' in errors[0] ? { detail: expect.anything() } : {}),
        },
      ]);
      if (status === 401) expect(headers['www-authenticate']).toContain('Bearer realm=');
    },
  );

  it('leaves an upload that it was about as it was', async () => {
    const status = await http(world.acme, `GET ${known.session}`);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-3']);
    const closed = await http(world.acme, `PUT ${known.session}?digest=${digestOf('four')}`);
    expect(closed.status).toBe(201);
  });

  it('leaves the tags as they were', async () => {
    const tags = await http(world.acme, 'GET /v2/acme/shop/tags/list');
    expect(await tags.json()).toEqual({ name: 'acme/shop', tags: ['1'] });
  });

  it('is no image whose platform has a NUL: it is taken', async () => {
    const config = '{"architecture":"am\\u0000d64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';
    const digest = await pushBlob(world.acme, 'acme/odd', config);
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: configType, digest, size: config.length },
      layers: [],
    });
    const headers = { 'content-type': manifestType };
    const put = await http(world.acme, 'PUT /v2/acme/odd/manifests/1', { body, headers });
    expect(put.status).toBe(201);
  });
});

/** distribution-spec, "Error Codes". */
const specified = [
  ...[
    'BLOB_UNKNOWN',
    'BLOB_UPLOAD_INVALID',
    'BLOB_UPLOAD_UNKNOWN',
    'DIGEST_INVALID',
    'MANIFEST_BLOB_UNKNOWN',
  ],
  ...['MANIFEST_INVALID', 'MANIFEST_UNKNOWN', 'NAME_INVALID', 'NAME_UNKNOWN', 'SIZE_INVALID', 'UNAUTHORIZED'],
  ...['DENIED', 'UNSUPPORTED', 'TOOMANYREQUESTS'],
];

it('every error of ours becomes a code that the specification lists', () => {
  for (const { oci } of Object.values(errorCodes)) expect(specified).toContain(oci);
});

function titleOf({ line, headers = {}, body, status, code }: Malformed): string {
  const given = [...Object.values(headers), ...(body === undefined ? [] : [body])].join(' ');
  return `${line.slice(0, 90)} ${given.slice(0, 60)} → ${status} ${code}`;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Byte for byte as it is written: `fetch` would tidy the path. */
async function answered(client: Client, { line, headers = {}, body }: Malformed): Promise<Answered> {
  const filled = line.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? '');
  const [method = 'GET', path = '/'] = filled.split(' ');
  const { hostname, port } = new URL(client.url);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { hostname, port, method, path };
    request({ ...options, headers: { ...authorization(client.credentials), ...length, ...headers } }, resolve)
      .once('error', reject)
      .end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  };
}
