/** Two real servers on this machine that follow each other over HTTP. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, call } from '../../src/client/client.ts';
import { regionList } from '../../src/contract/regions.ts';
import { replicationAccess } from '../../src/contract/replication.ts';
import { lazaret } from '../support/command-line.ts';
import { errorCode, http } from '../support/http.ts';
import { type PushedImage, pushImage, quarantineLayer, releaseQuarantine } from '../support/regions.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let home: TestServer;
let away: TestServer;
/** As home's administrator, known in both regions. */
let atAway: Client;
const regions = { home: 0, away: 0 };

beforeAll(async () => {
  Object.assign(regions, { home: await freePort(), away: await freePort() });
  home = await start('home', 'away');
  away = await start('away', 'home');
  atAway = { ...home.admin, url: away.url };
});
afterAll(async () => {
  await away?.close();
  await home?.close();
});

describe('two regions', () => {
  it('serve in the one what was pushed to the other, fetching the bytes when they are asked for', async () => {
    const image = await push({ text: 'hello from home' });
    await served('GET /v2/acme/shop/manifests/1');
    const blob = await http(atAway, `GET /v2/acme/shop/blobs/${image.layer}`);
    expect([blob.status, await blob.text()]).toEqual([200, 'hello from home']);
  });

  it('refuse in the one what was quarantined in the other, until it is released', async () => {
    const image = await push({ text: 'left a key in it', tag: '2' });
    await served('GET /v2/acme/shop/manifests/2');
    const uid = await quarantineLayer(regionOf(home), image.layer);
    await answered('GET /v2/acme/shop/manifests/2', 403);
    const blob = await http(atAway, `GET /v2/acme/shop/blobs/${image.layer}`);
    expect([blob.status, await errorCode(blob)]).toEqual([403, 'DENIED']);
    await releaseQuarantine(regionOf(home), uid);
    await served('GET /v2/acme/shop/manifests/2');
  });

  it('refuse a push to a replica with the address of home', async () => {
    const refused = await http(atAway, 'POST /v2/acme/shop/blobs/uploads/');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain(home.url);
  });

  it('say where rules are decided, instead of showing none', async () => {
    for (const words of [
      ['immutability', 'ls'],
      ['retention', 'ls'],
      ['retention', 'plan'],
      ['sbom', 'ls'],
    ])
      await expect(lazaret(atAway, ...words), words.join(' ')).rejects.toMatchObject({
        code: 'readOnlyReplica',
        message: expect.stringContaining(home.url),
      });
  });

  it('list each other, and let only each other follow', async () => {
    const { regions: listed } = await call(atAway, regionList);
    expect(listed.map(({ name, role, self, connected }) => ({ name, role, self, connected }))).toEqual([
      { name: 'away', role: 'secondary', self: true, connected: true },
      { name: 'home', role: 'primary', self: false, connected: true },
    ]);
    await expect(call(home.admin, replicationAccess)).rejects.toMatchObject({ code: 'denied' });
  });
});

function start(name: 'home' | 'away', peer: 'home' | 'away'): Promise<TestServer> {
  const secret = 'both-know-this-secret';
  const peers = [{ name: peer, url: `http://localhost:${regions[peer]}`, secret }];
  return startTestServer({
    taskLoops: true,
    environment: {
      LAZARET_REGION: name,
      LAZARET_PRIMARY: 'home',
      LAZARET_LISTEN_PORT: String(regions[name]),
      LAZARET_PEERS: JSON.stringify(peers),
      LAZARET_REPLICATION_REPOSITORIES: '[]',
    },
  });
}

function regionOf({ context }: TestServer) {
  const { database, blobs, clock, region: name } = context;
  return { database, blobs, clock, name };
}

function push(image: { text: string; tag?: string }): Promise<PushedImage> {
  return pushImage(regionOf(home), image);
}

const served = (line: string) => answered(line, 200);

/** Asks away again after each of its commits, until the answer has that status. */
async function answered(line: string, status: number): Promise<void> {
  const { database } = away.context;
  let seen = Promise.withResolvers<void>();
  const unsubscribe = database.onCommit(() => seen.resolve());
  while ((await http(atAway, line)).status !== status) {
    await seen.promise;
    seen = Promise.withResolvers<void>();
  }
  unsubscribe();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
