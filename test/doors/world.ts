/** A home region and a replica of it, two real servers over HTTP, filled before the tests and then marked at one stroke. */
import { createServer } from 'node:net';
import { manifestDelete } from '../../src/actions/push/delete.ts';
import { manifestPut } from '../../src/actions/push/manifest-put.ts';
import { uploadMonolithic } from '../../src/actions/push/upload-finish.ts';
import { quarantineApplyPlan } from '../../src/actions/quarantine/apply.ts';
import { quarantinePlan } from '../../src/actions/quarantine/plan.ts';
import { replicationHeads } from '../../src/actions/replicate/serve-stream.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import type { Client } from '../../src/client/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import { isIndexMediaType, isManifestMediaType } from '../../src/oci/media-types.ts';
import { parseRepositoryName } from '../../src/oci/reference.ts';
import { accountEnsure } from '../../src/records/access/accounts.ts';
import { blobFind } from '../../src/records/catalog/blobs.ts';
import { regionCursors } from '../../src/records/regions/regions.ts';
import { condemn } from '../support/catalog.ts';
import { lazaret } from '../support/command-line.ts';
import type { EngineWorld } from '../support/engines.ts';
import { http } from '../support/http.ts';
import type { Content } from '../support/oci-layout.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

export const regionNames = ['home', 'replica'] as const;
export type RegionName = (typeof regionNames)[number];

/** The three columns of the table. */
export const columns = ['live', 'condemned', 'reached'] as const;
export type Column = (typeof columns)[number];

/** One region's doors, and who stands before them. */
export interface Doors {
  readonly server: TestServer;
  readonly maintainer: Client;
  /** May only pull. */
  readonly reader: Client;
  readonly security: Client;
  /** Of another account, which was granted everything of acme's. */
  readonly guest: Client;
}

export type DoorWorld = Readonly<Record<RegionName, Doors>>;

/** An upload that was begun before the marks were set, with all its bytes. */
export interface Session {
  location: string;
}

/** What is done before the first test, in this order whatever was asked first. */
export class Arrangement {
  readonly pushes: { repository: string; content: Content; tag: string | undefined }[] = [];
  readonly sessions: { repository: string; content: Content; session: Session }[] = [];
  readonly deleted: { repository: string; content: Content }[] = [];
  readonly condemned = new Set<string>();
  readonly layers = new Set<string>();
  readonly manifests = new Set<string>();

  push(repository: string, contents: readonly Content[], tag?: string): void {
    for (const [at, content] of contents.entries())
      this.pushes.push({ repository, content, tag: at === contents.length - 1 ? tag : undefined });
  }

  begin(repository: string, content: Content): Session {
    const session = { location: '' };
    this.sessions.push({ repository, content, session });
    return session;
  }

  /** A manifest that is there when the replica follows, and gone when the tests begin. */
  delete(repository: string, content: Content): void {
    this.deleted.push({ repository, content });
  }

  /** Puts a blob into a column. */
  place(column: Column, { digest }: Content): void {
    if (column === 'condemned') this.condemned.add(digest);
    if (column === 'reached') this.layers.add(digest);
  }

  /** Marks a manifest, or a blob as a layer is marked. */
  mark({ digest, mediaType }: Content): void {
    (isManifest(mediaType) ? this.manifests : this.layers).add(digest);
  }
}

export const reason = 'a key was left in it';
export const ticket = 'INC-42';

export async function openDoorWorld(engine: EngineWorld, arranged: Arrangement): Promise<DoorWorld> {
  const ports = { home: await freePort(), replica: await freePort() };
  const start = (name: RegionName) => startRegion(engine, { name, ports });
  const [home, replica] = [await start('home'), await start('replica')];
  const people = await peopleOf(home);
  const at = (server: TestServer): Doors => {
    const here = (client: Client) => ({ ...client, url: server.url });
    const { maintainer, reader, security, guest } = people;
    return {
      server,
      maintainer: here(maintainer),
      reader: here(reader),
      security: here(security),
      guest: here(guest),
    };
  };
  const world = { home: at(home), replica: at(replica) };
  for (const push of arranged.pushes) await pushed(home, push);
  await followed(world);
  await replica.drain();
  for (const begun of arranged.sessions) await begin(world.home, begun);
  for (const deletion of arranged.deleted) await taken(home, deletion);
  await followed(world);
  for (const { database } of [home.context, replica.context])
    for (const digest of arranged.condemned)
      if (await blobFind(database.read, parseDigest(digest))) await condemn(database, digest);
  await marked(home, arranged);
  await followed(world);
  return world;
}

export async function closeDoorWorld({ home, replica }: DoorWorld): Promise<void> {
  await replica.server.close();
  await home.server.close();
}

/** Until the replica has all that home has said. */
export async function followed({ home, replica }: DoorWorld): Promise<void> {
  const heads = await replicationHeads({ database: home.server.context.database, region: 'home' });
  const { database } = replica.server.context;
  let news = Promise.withResolvers<void>();
  const unsubscribe = database.onCommit(() => news.resolve());
  for (;;) {
    const { quarantine, content } = await regionCursors(database.read, 'home');
    if (quarantine >= heads.quarantine && content >= heads.content) break;
    await news.promise;
    news = Promise.withResolvers<void>();
  }
  unsubscribe();
}

async function startRegion(
  engine: EngineWorld,
  { name, ports }: { name: RegionName; ports: Record<RegionName, number> },
): Promise<TestServer> {
  const peer = name === 'home' ? 'replica' : 'home';
  const peers = [{ name: peer, url: `http://localhost:${ports[peer]}`, secret: 'both-know-this-secret' }];
  return startTestServer({
    database: await engine.open({ region: name, clock: systemClock }),
    blobs: await openMemoryStore({ region: name }),
    environment: {
      LAZARET_REGION: name,
      LAZARET_PRIMARY: 'home',
      LAZARET_LISTEN_PORT: String(ports[name]),
      LAZARET_PEERS: JSON.stringify(peers),
      LAZARET_REPLICATION_REPOSITORIES: '["acme/near/**"]',
    },
  });
}

async function peopleOf(home: TestServer): Promise<Omit<Doors, 'server'>> {
  await home.context.database.transact(async (tx) => {
    for (const account of ['acme', 'globex']) await accountEnsure(tx, account, 'test');
  });
  const user = (name: string, account: string, role: 'maintainer' | 'reader' | 'security') =>
    home.user(name, account, [{ role, account, repositoryGlob: null }]);
  const people = {
    maintainer: await user('acme-ci', 'acme', 'maintainer'),
    reader: await user('jo', 'acme', 'reader'),
    security: await user('sam', 'acme', 'security'),
    guest: await user('mia', 'globex', 'maintainer'),
  };
  await lazaret(home.admin, 'grant', 'add', 'acme/**', '--to', 'globex');
  return people;
}

async function pushed({ context }: TestServer, push: Arrangement['pushes'][number]): Promise<void> {
  const repository = parseRepositoryName(push.repository);
  const { digest, bytes, mediaType } = push.content;
  const by = { repository, principal: 'acme-ci' };
  if (!isManifest(mediaType)) await uploadMonolithic(context, { ...by, digest, source: once(bytes) });
  else {
    const reference = push.tag === undefined ? { digest } : { tag: push.tag };
    await manifestPut(context, { ...by, reference, bytes, contentType: mediaType });
  }
}

async function taken({ context }: TestServer, taking: Arrangement['deleted'][number]): Promise<void> {
  const repository = parseRepositoryName(taking.repository);
  await manifestDelete(context, { repository, digest: taking.content.digest, principal: 'acme-ci' });
}

async function begin({ maintainer }: Doors, begun: Arrangement['sessions'][number]): Promise<void> {
  const { repository, content, session } = begun;
  const started = await http(maintainer, `POST /v2/${repository}/blobs/uploads/`);
  session.location = started.headers.get('location') ?? '';
  await http(maintainer, `PATCH ${session.location}`, { body: content.bytes });
}

async function marked({ context }: TestServer, { layers, manifests }: Arrangement): Promise<void> {
  const targets = { layers: [...layers], manifests: [...manifests] };
  const by = { author: 'sam' };
  const plan = await quarantinePlan(context, { question: { targets }, account: null, ...by });
  await quarantineApplyPlan(context, { plan: plan.name, reason, ticket, ...by });
}

function isManifest(mediaType: string): boolean {
  return isManifestMediaType(mediaType) || isIndexMediaType(mediaType);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
