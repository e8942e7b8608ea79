/**
 * Three servers of one region: one PostgreSQL, one folder of blobs. A quarantine that one of them has acknowledged is
 * refused by all of them from then on, also for tokens issued before and while pulls go on; what another of them is
 * sending is cut; and their collectors share the work.
 */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorization, type Client, call } from '../../src/client/client.ts';
import { planApply, planCreate, quarantineReleaseRoute } from '../../src/contract/quarantines.ts';
import { type Clock, ManualClock, systemClock } from '../../src/lib/clock.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { logRead } from '../../src/records/log/log.ts';
import { pushBlob, pushLayers } from '../support/distribution-world.ts';
import { errorCode, http } from '../support/http.ts';
import { buildImage, buildLayer, type Layer, mediaTypes } from '../support/oci-layout.ts';
import { freshDatabase, template } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** For a busy machine: nothing here is judged by its speed. */
const patience = { timeout: 25_000 };

type Servers = readonly [TestServer, TestServer, TestServer];

interface RegionOfThree {
  readonly servers: Servers;
  /** The administrator at each of them. */
  readonly clients: readonly [Client, Client, Client];
  readonly blobs: string;
  readonly close: () => Promise<void>;
}

async function openRegion(options: { clock: Clock; taskLoops: boolean }): Promise<RegionOfThree> {
  const database = await freshDatabase({ from: template });
  const blobs = await mkdtemp(join(tmpdir(), 'lazaret-blobs-'));
  const environment = { LAZARET_DATABASE_URL: database.url, LAZARET_BLOBS_FOLDER: blobs };
  const start = () => startTestServer({ ...options, environment });
  const servers: Servers = [await start(), await start(), await start()];
  const [a, b, c] = servers;
  const at = ({ url }: TestServer): Client => ({ ...a.admin, url });
  return {
    servers,
    clients: [a.admin, at(b), at(c)],
    blobs,
    close: async () => {
      for (const server of servers) await server.close();
      await database.drop();
      await rm(blobs, { recursive: true, force: true });
    },
  };
}

/** @returns its uid, once it is acknowledged by that server */
async function quarantine(client: Client, layer: string): Promise<string> {
  const plan = await call(client, planCreate, { body: { targets: { layers: [layer] } } });
  const body = { reason: 'INC-42' };
  return (await call(client, planApply, { params: { name: plan.name }, body })).uid;
}

async function release(client: Client, name: string): Promise<void> {
  await call(client, quarantineReleaseRoute, { params: { name }, body: { reason: 'over' } });
}

/** An answer that is on its way when the quarantine comes is cut, perhaps before its head. */
async function pulled(client: Client, path: string): Promise<number | 'cut'> {
  try {
    const response = await http(client, `GET ${path}`);
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    expect(error).toMatchObject({ message: expect.stringMatching(/^(fetch failed|terminated)$/) });
    return 'cut';
  }
}

describe('a quarantine that one of three servers has acknowledged', () => {
  let region: RegionOfThree;
  let layer: Layer;
  let manifest: string;
  beforeAll(async () => {
    region = await openRegion({ clock: systemClock, taskLoops: true });
    layer = await buildLayer([{ path: 'app/banned', content: 'to be marked' }]);
    manifest = await pushLayers(region.clients[0], 'default/shop:1', [layer]);
    await pushLayers(region.clients[1], 'default/other:1', [layer]);
  });
  afterAll(() => region.close());

  it('is refused by the others at every door, also for a token issued before', async () => {
    const [a, b, c] = region.clients;
    const repository = 'default/shop';
    const sessions = await Promise.all([b, c].map((client) => uploadBegun(client, layer)));
    const tokens = await Promise.all([b, c].map((client) => tokenOf(client, repository)));
    const image = buildImage({ layers: [layer] });
    const uid = await quarantine(a, layer.digest);
    const doors: Record<string, (client: Client, session: string) => Promise<Response>> = {
      'blob GET': (client) => http(client, `GET /v2/${repository}/blobs/${layer.digest}`),
      'blob HEAD': (client) => http(client, `HEAD /v2/${repository}/blobs/${layer.digest}`),
      'blob GET of a part': (client) =>
        http(client, `GET /v2/${repository}/blobs/${layer.digest}`, { headers: { range: 'bytes=0-3' } }),
      'blob GET with its own digest known': (client) =>
        http(client, `GET /v2/${repository}/blobs/${layer.digest}`, {
          headers: { 'if-none-match': `"${layer.digest}"` },
        }),
      'manifest GET by tag': (client) => http(client, `GET /v2/${repository}/manifests/1`),
      'manifest GET by digest': (client) => http(client, `GET /v2/${repository}/manifests/${manifest}`),
      'manifest HEAD by digest': (client) => http(client, `HEAD /v2/${repository}/manifests/${manifest}`),
      mount: (client) =>
        http(client, `POST /v2/default/new/blobs/uploads/?mount=${layer.digest}&from=${repository}`),
      'the end of an upload': (client, session) => http(client, `PUT ${session}?digest=${layer.digest}`),
      'manifest PUT': (client) =>
        http(client, `PUT /v2/${repository}/manifests/2`, {
          headers: { 'content-type': mediaTypes.manifest },
          body: image.manifest.bytes,
        }),
    };
    for (const [at, client] of [b, c].entries())
      for (const [name, door] of Object.entries(doors))
        for (const who of [client, tokens[at] ?? client]) {
          const response = await door(who, sessions[at] ?? '');
          const gone = name === 'the end of an upload' && who !== client;
          // A session ends with its first refusal.
          expect([name, response.status]).toEqual([name, gone ? 404 : 403]);
        }
    await release(c, uid);
    expect((await http(b, `GET /v2/${repository}/manifests/1`)).status).toBe(200);
  });

  it('is refused from the acknowledgement on while pulls go on everywhere, and served again after the release', async () => {
    const [a, ...others] = region.clients;
    const path = `/v2/default/shop/blobs/${layer.digest}`;
    const answers: { startedAt: number; endedAt: number; status: number | 'cut' }[] = [];
    let over = false;
    const pulling = others.flatMap((client) =>
      Array.from({ length: 4 }, async () => {
        while (!over) {
          const startedAt = performance.now();
          const status = await pulled(client, path);
          answers.push({ startedAt, endedAt: performance.now(), status });
        }
      }),
    );
    const seen = (count: number) => expect.poll(() => answers.length, patience).toBeGreaterThan(count);
    let [acknowledgedAt, releaseAskedAt, releasedAt] = [0, 0, 0];
    try {
      await seen(20);
      const uid = await quarantine(a, layer.digest);
      acknowledgedAt = performance.now();
      await seen(answers.length + 20);
      releaseAskedAt = performance.now();
      await release(a, uid);
      releasedAt = performance.now();
      await seen(answers.length + 20);
    } finally {
      over = true;
      await Promise.all(pulling);
    }
    const under = answers.filter(
      ({ startedAt, endedAt }) => startedAt > acknowledgedAt && endedAt < releaseAskedAt,
    );
    expect(under.length).toBeGreaterThan(0);
    expect(new Set(under.map(({ status }) => status))).toEqual(new Set([403]));
    const after = answers.filter(({ startedAt }) => startedAt > releasedAt);
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('cuts what the others are sending', async () => {
    const [a, b, c] = region.clients;
    // More than the buffers between the two sides hold.
    const content = 'being sent, '.repeat(1_500_000);
    const digest = await pushBlob(a, 'default/large', content);
    const slow = await Promise.all(
      [b, c].map((client) => slowly(client, `/v2/default/large/blobs/${digest}`)),
    );
    const uid = await quarantine(a, digest);
    for (const server of region.servers)
      await expect.poll(() => server.context.openStreams.list(), patience).toEqual([]);
    for (const { rest } of slow) expect(await rest()).toBeLessThan(content.length);
    await release(a, uid);
    expect((await http(b, `GET /v2/default/large/blobs/${digest}`)).status).toBe(200);
  });
});

describe('the collectors of three servers', () => {
  it('share the work: each blob is condemned once, nothing is left, and what is needed stays', async () => {
    const clock = new ManualClock();
    const region = await openRegion({ clock, taskLoops: false });
    try {
      const [a, b, c] = region.clients;
      const shared = await buildLayer([{ path: 'bin/base', content: 'needed' }]);
      await pushLayers(a, 'default/kept:1', [shared]);
      const deleted = async (at: number): Promise<string[]> => {
        const own = await buildLayer([{ path: `app/${at}`, content: `${at}` }]);
        const image = buildImage({ layers: [shared, own] });
        const digest = await pushLayers(at % 2 ? b : c, `default/shop:${at}`, [shared, own]);
        expect((await http(a, `DELETE /v2/default/shop/manifests/${digest}`)).status).toBe(202);
        return [own.digest, image.config.digest];
      };
      const gone = (await Promise.all(Array.from({ length: 16 }, (_, at) => deleted(at)))).flat();
      clock.advance(26 * 3_600_000);
      await Promise.all(region.servers.map((server) => server.drain()));
      const { read } = region.servers[0].context.database;
      const condemned = (await logRead(read, { after: 0, limit: 10_000 }))
        .filter((event) => event.type === 'blobs.condemned')
        .flatMap((event): unknown => event.data.digests);
      expect(condemned.flat().sort()).toEqual([...new Set(gone)].sort());
      for (const table of ['condemned_keys', 'uploads'] as const)
        expect(await read.selectFrom(table).selectAll().execute()).toEqual([]);
      const files = await readdir(join(region.blobs, 'blobs'), { recursive: true, withFileTypes: true });
      const live = await read.selectFrom('blobs').select('storage_key').where('state', '=', 'live').execute();
      const stored = files.filter((file) => file.isFile()).map((file) => file.name);
      expect(stored.sort()).toEqual(live.map((row) => row.storage_key).sort());
      const pulled = await http(c, `GET /v2/default/kept/blobs/${shared.digest}`);
      expect(digestOf(Buffer.from(await pulled.arrayBuffer()))).toBe(shared.digest);
      const unknown = await http(b, `GET /v2/default/shop/blobs/${gone[0]}`);
      expect([unknown.status, await errorCode(unknown)]).toEqual([404, 'BLOB_UNKNOWN']);
    } finally {
      await region.close();
    }
  }, 120_000);
});

async function uploadBegun(client: Client, { bytes }: Layer): Promise<string> {
  const begun = await http(client, 'POST /v2/default/shop/blobs/uploads/');
  const location = begun.headers.get('location') ?? '';
  expect((await http(client, `PATCH ${location}`, { body: bytes })).status).toBe(202);
  return location;
}

async function tokenOf(client: Client, repository: string): Promise<Client> {
  const scope = [repository, 'default/new'].map((name) => `scope=repository:${name}:pull,push`).join('&');
  const response = await http(client, `GET /v2/token?service=lazaret-local&${scope}`);
  const { token }: { token: string } = JSON.parse(await response.text());
  return { ...client, credentials: { kind: 'bearer', token } };
}

/** Reads the beginning. `rest` reads on and tells how many bytes there were in all. */
async function slowly(client: Client, path: string): Promise<{ rest: () => Promise<number> }> {
  const asked = request(new URL(path, client.url), { headers: authorization(client.credentials) });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject).end();
  });
  expect(answer.statusCode).toBe(200);
  return {
    rest: async () => {
      let received = 0;
      try {
        for await (const chunk of answer) received += Buffer.byteLength(chunk);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ECONNRESET' });
      }
      return received;
    },
  };
}
