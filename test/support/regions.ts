/** Two regions without servers: databases, stores in memory, and links that carry lines of JSON and can be cut. */

import { manifestPut } from '../../src/actions/push/manifest-put.ts';
import { RunningDigests } from '../../src/actions/push/running-digests.ts';
import { acknowledgeTask } from '../../src/actions/replicate/acknowledge.ts';
import { Copier } from '../../src/actions/replicate/copier.ts';
import { type FollowDeps, followOnce } from '../../src/actions/replicate/follow.ts';
import type { PeerLink } from '../../src/actions/replicate/peer-link.ts';
import { replicatedBlob } from '../../src/actions/replicate/serve-blob.ts';
import { replicationHeads, replicationLines } from '../../src/actions/replicate/serve-stream.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { checked } from '../../src/contract/check.ts';
import { accessSnapshot, type ReplicationLine, replicationLine } from '../../src/contract/replication.ts';
import { type Clock, ManualClock } from '../../src/lib/clock.ts';
import { LazaretError } from '../../src/lib/errors.ts';
import { randomKey, uuidv7 } from '../../src/lib/random.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseRepositoryName } from '../../src/oci/reference.ts';
import { accessSnapshotRead } from '../../src/records/access/access-snapshot.ts';
import { accountEnsure } from '../../src/records/access/accounts.ts';
import { blobKeep, blobLink } from '../../src/records/catalog/blobs.ts';
import { repositoryEnsure } from '../../src/records/catalog/repositories.ts';
import type { Database } from '../../src/records/db/database.ts';
import { type Quarantine, quarantineApply, quarantineGet } from '../../src/records/marks/quarantines.ts';
import { regionsEnsure } from '../../src/records/regions/regions.ts';
import type { EngineWorld } from './engines.ts';

export interface RegionParts {
  readonly name: string;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
}

export interface TestRegion extends RegionParts {
  readonly clock: ManualClock;
}

export async function openRegion(
  world: EngineWorld,
  options: { name: string; peers: readonly string[]; clock?: ManualClock },
): Promise<TestRegion> {
  const { name, clock = new ManualClock() } = options;
  const database = await world.open({ region: name, clock });
  const seed = (region: string) => ({ name: region, url: `http://${region}.example` });
  await database.transact((tx) =>
    regionsEnsure(tx, { self: seed(name), primary: 'home', peers: options.peers.map(seed) }),
  );
  return { name, database, blobs: await openMemoryStore({ region: name }), clock };
}

/** A link whose faults are set by hand. A stream ends when all was sent, unless it `stays`. */
export class TestLink implements PeerLink {
  readonly region: string;
  /** Lines put in place of the real ones. */
  script: ReplicationLine[] | undefined;
  down = false;
  stays = false;
  /** The next blob breaks off after so many bytes. */
  cutAfter: number | undefined;
  /** What arrives is not what was sent. */
  corrupt = false;
  /** From where blobs were asked. */
  readonly asked: number[] = [];
  /** Resolves before accounts are answered. */
  accessGate: Promise<void> = Promise.resolve();
  readonly #peer: TestRegion;

  constructor(peer: TestRegion) {
    this.region = peer.name;
    this.#peer = peer;
  }

  async *stream(cursors: { quarantine: number; content: number }, signal: AbortSignal) {
    this.#assertUp();
    const { database, clock, name: region } = this.#peer;
    const lines = this.script ?? replicationLines({ database, clock, region }, cursors, signal);
    for await (const line of lines) {
      yield await checked(replicationLine, JSON.parse(JSON.stringify(line)), { where: 'line' });
      if ('head' in line && !this.stays) return;
    }
  }

  async head() {
    this.#assertUp();
    const { database, name: region } = this.#peer;
    return replicationHeads({ database, region });
  }

  async access() {
    this.#assertUp();
    await this.accessGate;
    const snapshot = await accessSnapshotRead(this.#peer.database.read);
    return checked(accessSnapshot, JSON.parse(JSON.stringify(snapshot)), { where: 'access' });
  }

  async blob(ask: { digest: string; repository: string; from: number }, signal: AbortSignal) {
    this.#assertUp();
    this.asked.push(ask.from);
    const { stream } = await replicatedBlob(this.#peer, ask, signal);
    return this.#faulty(stream);
  }

  async *#faulty(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const cut = this.cutAfter;
    this.cutAfter = undefined;
    for await (const chunk of stream) {
      const sent = Uint8Array.from(cut === undefined ? chunk : chunk.subarray(0, cut));
      if (this.corrupt) sent[0] = (sent[0] ?? 0) ^ 1;
      yield sent;
      if (cut !== undefined) throw new LazaretError('unavailable', 'the line was cut');
    }
  }

  #assertUp(): void {
    if (this.down) throw new LazaretError('unavailable', `region ${this.region} does not answer`);
  }
}

/** One region's side of following another. */
export class TestFollower {
  readonly link: TestLink;
  readonly problems: string[] = [];
  readonly copier: Copier;
  readonly deps: FollowDeps;
  readonly #self: TestRegion;
  readonly #never = new AbortController().signal;

  constructor(self: TestRegion, peer: TestRegion, repositories: readonly string[] = []) {
    this.#self = self;
    this.link = new TestLink(peer);
    const onProblem = (error: LazaretError) => void this.problems.push(error.message);
    this.deps = { ...self, policy: { repositories }, onProblem };
    const links = new Map([[peer.name, this.link]]);
    this.copier = new Copier({ ...self, region: self.name, links, onProblem });
  }

  /** Follows until all that the peer had to say is applied. */
  catchUp(): Promise<void> {
    return followOnce(this.deps, this.link, this.#never);
  }

  async copy(): Promise<void> {
    await this.copier.task.run(this.#never);
  }

  async acknowledge(): Promise<void> {
    await acknowledgeTask({ ...this.#self, region: this.#self.name }).run(this.#never);
  }
}

export interface PushedImage {
  readonly digest: Digest;
  readonly layer: Digest;
  readonly config: Digest;
}

/** Pushes an image of one layer, made of `text`, as `acme`. */
export async function pushImage(
  region: RegionParts,
  { repository = 'acme/shop', tag = '1', text }: { repository?: string; tag?: string; text: string },
): Promise<PushedImage> {
  const name = parseRepositoryName(repository);
  await region.database.transact((tx) => accountEnsure(tx, name.account, 'test'));
  const layerBytes = Buffer.from(text);
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digestOf(layerBytes)] },
    }),
  );
  const layer = await pushBlob(region, repository, layerBytes);
  const config = await pushBlob(region, repository, configBytes);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config, size: configBytes.length },
      layers: [{ mediaType: mediaTypes.ociLayer, digest: layer, size: layerBytes.length }],
    }),
  );
  const { database, blobs, clock } = region;
  const deps = { database, blobs, clock, digests: new RunningDigests() };
  const put = { repository: name, reference: { tag }, bytes, principal: 'jo' };
  const { digest } = await manifestPut(deps, put);
  return { digest, layer, config };
}

async function pushBlob(region: RegionParts, repository: string, bytes: Buffer): Promise<Digest> {
  const storageKey = randomKey();
  await region.blobs.append(storageKey, 0, one(bytes));
  await region.blobs.commit(storageKey);
  const sha256 = digestOf(bytes);
  await region.database.transact(async (tx) => {
    const { id } = await repositoryEnsure(tx, parseRepositoryName(repository));
    const stored = { sha256, sha512: undefined, sizeBytes: bytes.length, storageKey };
    const { blob } = await blobKeep(tx, stored);
    await blobLink(tx, id, blob.id);
  });
  return sha256;
}

/** Marks a layer in that region, for all repositories. @returns the quarantine's uid */
export async function quarantineLayer(
  region: RegionParts,
  layer: Digest,
  name = 'Q-1',
  reach: 'layer' | 'image' = 'layer',
): Promise<string> {
  return region.database.transact(async (tx) => {
    const quarantine: Quarantine = {
      uid: uuidv7(tx.nowMs),
      name,
      origin: region.name,
      version: await tx.nextVersion(),
      scopeAccount: null,
      reach,
      unknown: 'allow',
      cause: 'S-1',
      criteria: null,
      reason: 'a key was left in it',
      ticket: null,
      author: 'sam',
      createdAt: tx.nowMs,
      changedAt: tx.nowMs,
      retainUntil: tx.nowMs + 1_000,
      legalHold: false,
      legalHoldReason: null,
      destroyRequestedAt: null,
      releasedAt: null,
      releasedBy: null,
      releaseReason: null,
      marks: [{ target: 'layer', digest: layer, diffId: null, repositoryGlob: null, evidence: [] }],
    };
    await quarantineApply(tx, quarantine);
    const data = { ...quarantine };
    tx.emit({ type: 'quarantine.set', lane: 'quarantine', subject: name, actor: 'sam', data });
    return quarantine.uid;
  });
}

export async function releaseQuarantine(region: RegionParts, uid: string): Promise<void> {
  await region.database.transact(async (tx) => {
    const before = await quarantineGet(tx.db, uid);
    if (!before) throw new Error('no such quarantine');
    const version = await tx.nextVersion();
    const after: Quarantine = {
      ...before,
      version,
      releasedAt: tx.nowMs,
      releasedBy: 'sam',
      releaseReason: 'ok',
    };
    await quarantineApply(tx, after);
    const data = { ...after };
    tx.emit({ type: 'quarantine.released', lane: 'quarantine', subject: after.name, actor: 'sam', data });
  });
}

export async function stateOfBlob(region: TestRegion, digest: string): Promise<string | undefined> {
  const row = await region.database.read
    .selectFrom('blobs')
    .select('state')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.state;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
