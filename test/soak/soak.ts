/** One engine's soak: servers, a storm for as long as asked, and the audit. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Config } from '../../src/blobs/s3-config.ts';
import { call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import { SeededRandom } from '../simulation/random.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRadosgw } from '../support/radosgw.ts';
import { freshBucket, s3Environment } from '../support/s3-place.ts';
import { type Audit, audit } from './audit.ts';
import { type Chaos, killAtTimes } from './chaos.ts';
import { Fleet, type Server } from './fleet.ts';
import { collectNow, quarantineForAWhile } from './operator.ts';
import { Promises } from './promises.ts';
import { pullDigest, pullTag } from './pull.ts';
import { push } from './push.ts';
import { Quarantines } from './quarantines.ts';
import { findRealClients, type RealClients, realPull, realPush, storedRound } from './real-clients.ts';
import { graceMs } from './settings.ts';
import { openStore, type Place, type Store } from './store.ts';
import { type Actor, adminOf, type Counts, type Engine, noCounts, type Storm, violate } from './storm.ts';
import { deleteBlob, deleteManifest, deleteTag, restore } from './take.ts';
import { accounts, type Pushable, repositories, tags, Universe } from './universe.ts';

export interface SoakAsk {
  readonly engine: Engine;
  readonly seed: number;
  /** At most: it also ends after the last kill. */
  readonly minutes: number;
  readonly chaos: Chaos;
  /** Whether skopeo, podman and buildah take part. */
  readonly realClients: boolean;
  /** Exists; the caller removes it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Servers that run already, and belong to the caller: a database, a place in a bucket. Without them they are started. */
  readonly running?: { readonly database?: string; readonly bucket?: S3Config };
}

export interface Soaked extends Audit {
  readonly engine: Engine;
  readonly servers: number;
  readonly counts: Counts;
  readonly kills: number;
  /** Positions of the log. */
  readonly events: number;
  readonly collections: number;
  readonly collectedBlobs: number;
  readonly collectedBytes: number;
  readonly violations: readonly string[];
}

const clientsAtOnce = 8;

export async function soak(ask: SoakAsk): Promise<Soaked> {
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const place = await placeFor(ask, cleanups);
    const database = await databaseFor(ask, cleanups);
    const environment = {
      ...settingsOf(place),
      ...(ask.engine === 'postgres' ? { LAZARET_DATABASE_URL: database } : {}),
    };
    const fleet = await Fleet.open({
      folder: ask.folder,
      count: ask.engine === 'postgres' ? 3 : 1,
      environment,
    });
    cleanups.push(() => fleet.stop());
    await fleet.start();
    const storm = await stormOn(ask, fleet);
    await storms(ask, storm);
    await Promise.all(fleet.servers.map(({ name }) => fleet.killAndRestart(name, 0)));
    const store = await openStore(database, place);
    cleanups.push(() => store.close());
    const audited = await audit({ storm, random: new SeededRandom(ask.seed) }, store);
    for (const line of await fleet.errors()) violate(storm, `a server's log: ${line}`);
    return await soaked(storm, audited, store);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** @returns a file, or an address */
async function databaseFor(
  { engine, folder, running }: SoakAsk,
  cleanups: (() => Promise<unknown>)[],
): Promise<string> {
  if (engine !== 'postgres') return join(folder, 'server-0', 'metadata.sqlite');
  if (running?.database !== undefined) return running.database;
  const postgres = await startPostgres();
  cleanups.push(() => postgres.stop());
  return postgres.url;
}

/** Where its blobs are to be. */
async function placeFor(
  { engine, folder, running }: SoakAsk,
  cleanups: (() => Promise<unknown>)[],
): Promise<Place> {
  if (engine !== 's3') return { kind: 'folder', folder: join(folder, 'blobs') };
  if (running?.bucket !== undefined) return { kind: 's3', config: running.bucket };
  const server = await startRadosgw();
  cleanups.push(() => server.stop());
  return { kind: 's3', config: await freshBucket(server) };
}

function settingsOf(place: Place): Record<string, string> {
  return place.kind === 's3' ? s3Environment(place.config) : { LAZARET_BLOBS_FOLDER: place.folder };
}

async function stormOn({ engine, seed, minutes, folder, signal }: SoakAsk, fleet: Fleet): Promise<Storm> {
  const universe = await Universe.of(new SeededRandom(seed));
  const tools = join(folder, 'clients');
  await mkdir(tools);
  const password = await fleet.password();
  const end = new AbortController();
  const storm = {
    engine,
    fleet,
    universe,
    password,
    folder: tools,
    promises: new Promises(),
    quarantines: new Quarantines(universe),
    counts: noCounts(),
    unlinkings: new Map(),
    violations: [],
    end: () => end.abort(),
    ending: AbortSignal.any([signal, end.signal, AbortSignal.timeout(minutes * 60_000)]),
  };
  const [server] = fleet.servers;
  if (!server) throw new Error('there is no server');
  const admin = adminOf({ ...storm, acme: { username: '', password: '' } }, server);
  for (const name of accounts) await call(admin, accountCreate, { body: { name } });
  return { ...storm, acme: await securityOfAcme(storm.password, server) };
}

async function securityOfAcme(password: string, server: Server): Promise<Storm['acme']> {
  const bindings = [{ role: 'security', account: 'acme', repositoryGlob: null }];
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  const { body } = await server.pool.request({
    method: 'POST',
    path: '/api/v1/principals',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'sam', kind: 'user', account: 'acme', bindings }),
  });
  const created: { secret: string } = JSON.parse(await body.text());
  return { username: 'sam', password: created.secret };
}

/** Everybody at once, until the time is over. */
async function storms({ seed, signal, chaos, realClients }: SoakAsk, storm: Storm): Promise<void> {
  const clients = realClients ? await findRealClients() : undefined;
  let actors = 0;
  const actor = (): Actor => ({ storm, random: new SeededRandom(seed * 1_000 + actors++) });
  const loop = async (work: (actor: Actor) => Promise<unknown>, pauseMs: number) => {
    const self = actor();
    while (!storm.ending.aborted) {
      await work(self);
      await delay(self.random.below(pauseMs), undefined, { signal: storm.ending }).catch(() => {});
    }
  };
  await Promise.all([
    ...Array.from({ length: clientsAtOnce }, () => loop(anything, 60)),
    ...Array.from({ length: 3 }, () => loop(quarantineForAWhile, 4_000)),
    loop(collectNow, 2_000),
    ...(clients ? [loop((self) => realAnything(self, clients), 3_000)] : []),
    ...(clients?.stored.map((program) => loop((self) => storedRound(self, clients, program), 40_000)) ?? []),
    killAtTimes(actor(), chaos).finally(storm.end),
  ]);
  signal.throwIfAborted();
}

async function anything(actor: Actor): Promise<void> {
  const { storm, random } = actor;
  const repository = random.pick(repositories);
  const tag = random.pick(tags);
  const what = random.chance(0.3) ? await storm.universe.own() : storm.universe.pick();
  switch (
    random.weighted({
      push: 44,
      untagged: 6,
      pull: 24,
      byDigest: 8,
      tag: 4,
      manifest: 12,
      restore: 3,
      blob: 1,
    })
  ) {
    case 'push':
      return void (await push(actor, repository, what, tag));
    case 'untagged':
      return void (await push(actor, repository, what, undefined));
    case 'pull':
      return pullTag(actor, ...(somethingThere(actor, 'tag') ?? [repository, tag]));
    case 'byDigest':
      return pullDigest(actor, ...(somethingThere(actor, 'manifest') ?? [repository, what.manifest.digest]));
    case 'tag':
      return deleteTag(actor, ...(somethingThere(actor, 'tag') ?? [repository, tag]));
    case 'manifest': {
      const [within, digest] = somethingThere(actor, 'manifest') ?? [repository, what.manifest.digest];
      return deleteManifest(actor, within, storm.universe.manifest(digest) ?? what);
    }
    case 'restore':
      return restore(actor, ...(somethingDeleted(actor) ?? [repository, what]));
    case 'blob':
      return deleteBlob(actor, repository, random.pick(storm.universe.layers).digest);
  }
}

/** What is picked blindly mostly isn't there; sometimes that is wanted. @returns its repository, and a tag or a digest */
function somethingThere({ storm, random }: Actor, kind: 'tag' | 'manifest'): [string, string] | undefined {
  const there = storm.promises.known().filter(({ key, seen }) => key.startsWith(`${kind} `) && seen.value);
  if (there.length === 0 || random.chance(0.15)) return undefined;
  const [, repository = '', name = ''] = random.pick(there).key.split(' ');
  return [repository, name];
}

/** Lately, so that it may still be in the trash. */
function somethingDeleted({ storm, random }: Actor): [string, Pushable] | undefined {
  const from = performance.now() - graceMs;
  const gone = storm.promises
    .known()
    .filter(({ key, seen }) => key.startsWith('manifest ') && seen.value === null && seen.since > from);
  if (gone.length === 0) return undefined;
  const [, repository = '', digest = ''] = random.pick(gone).key.split(' ');
  const what = storm.universe.manifest(digest);
  return what && [repository, what];
}

function realAnything(actor: Actor, clients: RealClients): Promise<void> {
  return actor.random.chance(0.5) ? realPush(actor, clients) : realPull(actor, clients);
}

async function soaked(storm: Storm, audited: Audit, store: Store): Promise<Soaked> {
  const [head] = await store.rows('select max(position) as head from log');
  const collected = await store.rows(`select data from log where type = 'blobs.collected'`);
  const each = collected.map((row): { count: number; sizeBytes: number } => JSON.parse(String(row.data)));
  return {
    ...audited,
    engine: storm.engine,
    servers: storm.fleet.servers.length,
    counts: storm.counts,
    kills: storm.fleet.kills - storm.fleet.servers.length,
    events: Number(head?.head ?? 0),
    collections: each.length,
    collectedBlobs: each.reduce((sum, { count }) => sum + count, 0),
    collectedBytes: each.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    violations: storm.violations,
  };
}
