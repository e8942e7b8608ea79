/** Two real servers, one of them home, and an agent on a machine that only pretends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startAgent } from '../../src/agent/agent.ts';
import { imagePuller } from '../../src/agent/image-pull.ts';
import { regionLink } from '../../src/agent/region-link.ts';
import { fakeMachine, openFakeRuntime } from '../../src/agent/runtimes/fake.ts';
import { type Client, call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import { eventCriteriaMediaType } from '../../src/criteria/event-criteria.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { callerOf, principalByName } from '../../src/records/access/principals.ts';
import { http } from './http.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  jsonContent,
  mediaTypes,
} from './oci-layout.ts';
import { startTestServer, type TestServer } from './server.ts';

/** Checks again after each commit, since every change of state is one. */
export async function until(server: TestServer, check: () => Promise<boolean>): Promise<void> {
  const { database } = server.context;
  for (;;) {
    const commit = Promise.withResolvers<void>();
    const stop = database.onCommit(commit.resolve);
    try {
      if (await check()) return;
      await commit.promise;
    } finally {
      stop();
    }
  }
}

export type Cleanups = (() => Promise<unknown>)[];

/** Two servers that follow each other. */
export async function regions(
  cleanups: Cleanups,
  clocks: { readonly home?: Clock; readonly away?: Clock } = {},
): Promise<{ home: TestServer; away: TestServer }> {
  const [homePort, awayPort] = [await freePort(), await freePort()];
  const start = async (region: 'home' | 'away', port: number, peer: { name: string; port: number }) => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-fleet-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const secret = 'a-secret-that-both-regions-share-1';
    const peers = [{ name: peer.name, url: `http://127.0.0.1:${peer.port}`, secret }];
    const file = join(folder, 'lazaret.json');
    await writeFile(file, JSON.stringify({ peers }));
    const server = await startTestServer({
      taskLoops: true,
      clock: clocks[region] ?? systemClock,
      environment: {
        LAZARET_CONFIG: file,
        LAZARET_REGION: region,
        LAZARET_PRIMARY: 'home',
        LAZARET_LISTEN_HOST: '127.0.0.1',
        LAZARET_LISTEN_PORT: String(port),
      },
    });
    cleanups.push(server.close);
    return server;
  };
  const home = await start('home', homePort, { name: 'away', port: awayPort });
  const away = await start('away', awayPort, { name: 'home', port: homePort });
  return { home, away };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export async function maintainer(home: TestServer, name: string, account: string): Promise<Client> {
  await call(home.admin, accountCreate, { body: { name: account } });
  return home.user(name, account, [{ role: 'maintainer', account, repositoryGlob: null }]);
}

export async function bindingsOf(server: TestServer, name: string): Promise<number> {
  const { read } = server.context.database;
  const principal = await principalByName(read, name);
  return principal ? (await callerOf(read, principal)).bindings.length : 0;
}

/** An image that its owner ends when the grant is revoked. */
export async function pushShop(jo: Client): Promise<string> {
  const layer = await buildLayer([{ path: 'app', content: 'x' }]);
  const image = buildImage({ layers: [layer] });
  for (const blob of [image.config, layer]) await pushBlob(jo, blob);
  await pushManifest(jo, image.manifest, '1');
  const document = { when: [{ grantRevoked: true }], response: 'stop', stopDeadline: '5s' };
  const criteria = content(eventCriteriaMediaType, Buffer.from(JSON.stringify(document)));
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  for (const blob of [criteria, empty]) await pushBlob(jo, blob);
  const artifact = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: eventCriteriaMediaType,
    config: descriptor(empty),
    layers: [descriptor(criteria)],
    subject: descriptor(image.manifest),
  });
  await pushManifest(jo, artifact, artifact.digest);
  return image.manifest.digest;
}

async function pushBlob(client: Client, blob: Content): Promise<void> {
  const begun = await http(client, 'POST /v2/acme/shop/blobs/uploads/');
  const location = new URL(begun.headers.get('location') ?? '', client.url);
  location.searchParams.set('digest', blob.digest);
  const put = await http(client, `PUT ${location.pathname}${location.search}`, { body: blob.bytes });
  expect(put.status, await put.text()).toBe(201);
}

async function pushManifest(client: Client, manifest: Content, reference: string): Promise<void> {
  const put = await http(client, `PUT /v2/acme/shop/manifests/${reference}`, {
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
  });
  expect(put.status, await put.text()).toBe(201);
}

/** The agent of host-1, on a machine that only pretends. */
export async function agent(
  cleanups: Cleanups,
  { away, secret, clock = systemClock }: { away: TestServer; secret: string; clock?: Clock },
) {
  const dataFolder = await mkdtemp(join(tmpdir(), 'lazaret-agent-'));
  cleanups.push(() => rm(dataFolder, { recursive: true, force: true }));
  const machine = fakeMachine();
  const credentials = { kind: 'basic', username: 'instance/host-1', password: secret } as const;
  const client: Client = { url: away.url, credentials };
  const running = await startAgent({
    clock,
    bootId: 'boot',
    runtime: openFakeRuntime({ clock, machine }),
    dataFolder,
    pullImage: imagePuller(client),
    link: regionLink(client),
    log: () => {},
  });
  cleanups.push(() => running.stop());
  return machine;
}
