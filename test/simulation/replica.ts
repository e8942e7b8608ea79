/** The second region: it follows home over a link that may be cut at any line, copies bytes, and serves what it has. */

import { blobOpen } from '../../src/actions/pull/blob-open.ts';
import { manifestGet } from '../../src/actions/pull/manifest-get.ts';
import { acknowledgeTask } from '../../src/actions/replicate/acknowledge.ts';
import { Copier } from '../../src/actions/replicate/copier.ts';
import { followOnce } from '../../src/actions/replicate/follow.ts';
import type { PeerLink } from '../../src/actions/replicate/peer-link.ts';
import { replicatedBlob } from '../../src/actions/replicate/serve-blob.ts';
import { replicationHeads, replicationLines } from '../../src/actions/replicate/serve-stream.ts';
import { checked } from '../../src/contract/check.ts';
import { accessSnapshot, replicationLine } from '../../src/contract/replication.ts';
import type { LazaretError } from '../../src/lib/errors.ts';
import { collect } from '../../src/lib/streams.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { accessSnapshotRead } from '../../src/records/access/access-snapshot.ts';
import { attempt, type Client } from './clients.ts';
import { inScope, reachesBlob, reachesManifest } from './model.ts';
import { Violation } from './scheduler.ts';
import { nameOfDigest, type Pushable } from './universe.ts';
import type { SimulatedRegion } from './world.ts';

const never = new AbortController().signal;

/** Home as the operation that follows it sees it. */
export function linkHome({ world, op }: Client): PeerLink {
  const { home, scheduler } = world;
  if (!home.relay) throw new Error('home has no replica');
  const { database, blobs, clock } = world.deps(home, home.relay, op);
  return {
    region: 'home',
    async *stream(cursors, signal) {
      for await (const line of replicationLines({ database, clock, region: 'home' }, cursors, signal)) {
        const sent = await checked(replicationLine, JSON.parse(JSON.stringify(line)), { where: 'line' });
        await scheduler.call(op, 'head' in sent ? 'heartbeat' : `line ${sent.event.type}`, async () => {});
        yield sent;
        if ('head' in sent) return;
      }
    },
    head: () => replicationHeads({ database, region: 'home' }),
    access: async () => {
      const snapshot = await accessSnapshotRead(database.read);
      return checked(accessSnapshot, JSON.parse(JSON.stringify(snapshot)), { where: 'access' });
    },
    blob: async (ask, signal) => {
      const { stream } = await replicatedBlob({ database, blobs }, ask, signal);
      return stream;
    },
  };
}

/** Until home has nothing more to say; then acknowledges what binds here. */
export async function followAway(client: Client): Promise<void> {
  const { database, clock, blobs, region } = client.deps;
  const policy = { repositories: ['**'] };
  const onProblem = (error: LazaretError) => {
    throw new Violation(`replication: ${error.message}: ${String(error.cause)}`);
  };
  await attempt(client, 'follow', () =>
    followOnce({ database, clock, policy, onProblem }, linkHome(client), never),
  );
  await attempt(client, 'acknowledge', () => acknowledgeTask({ database, blobs, region }).run(never));
}

function copierOf(client: Client): Copier {
  const { database, clock, blobs, region } = client.deps;
  const links = new Map([['home', linkHome(client)]]);
  return new Copier({ database, clock, blobs, region, links, onProblem: () => {} });
}

export async function copyAway(client: Client): Promise<void> {
  await attempt(client, 'copy', () => copierOf(client).task.run(never));
}

/** P2 in a replica: from the commit that applied a quarantine there, nothing that it reaches is served there. */
export async function pullAway(client: Client): Promise<void> {
  const { world, deps } = client;
  const { random } = world.scheduler;
  const away = world.region('away');
  const repository = random.pick(world.settings.focus.repositories);
  const pushable = random.pick(world.settings.focus.pushables);
  const before = bindingIn(client, away);
  const assertClosed = (reaches: (quarantine: (typeof before)[number]) => boolean, what: string) => {
    const still = bindingIn(client, away).find(
      (each) => before.includes(each) && inScope(each, repository) && reaches(each),
    );
    if (still)
      throw new Violation(`P2: ${what} was served in region away under the quarantine of ${still.cause}`);
  };
  await attempt(client, `GET ${repository.name} ${pushable.name}`, async () => {
    await manifestGet(deps, { repository, reference: { digest: pushable.manifest.digest } });
    const here = new Set(
      away.checks.rows<{ digest: string }>('select digest from manifests').map((row) => row.digest),
    );
    assertClosed((each) => reachesManifest(each, pushable, here), pushable.name);
  });
  for (const blob of contentOf(pushable)) {
    const fetchRemote = (digest: string) => copierOf(client).fetchRemote(digest);
    await attempt(client, `GET ${repository.name} ${nameOfDigest(blob.digest)}`, async () => {
      const { stream } = await blobOpen({ ...deps, fetchRemote }, { repository, digest: blob.digest });
      const bytes = await collect(stream, 1 << 16);
      if (digestOf(bytes) !== blob.digest)
        throw new Violation(`${nameOfDigest(blob.digest)} has other bytes away`);
      assertClosed((each) => reachesBlob(each, blob.digest, false), nameOfDigest(blob.digest));
    });
  }
}

function contentOf(pushable: Pushable) {
  return pushable.kind === 'image' ? [...pushable.layers, pushable.config] : [];
}

/** The model's quarantines that a region's rows say are active there. */
function bindingIn({ world }: Client, region: SimulatedRegion) {
  const rows = region.checks.quarantines().filter((row) => row.released_at === null);
  return world.model.quarantines.filter((each) => rows.some((row) => row.cause === each.cause));
}

/** After everything was followed and copied. @throws Violation */
export function agree(home: SimulatedRegion, away: SimulatedRegion): void {
  const [here, there] = [home.checks.content('home'), away.checks.content('home')];
  for (const kind of ['quarantines', 'manifests', 'tags'] as const)
    if (JSON.stringify(here[kind]) !== JSON.stringify(there[kind]))
      throw new Violation(
        `replica: ${kind} differ: home has ${here[kind].join(', ')}; away has ${there[kind].join(', ')}`,
      );
  const missing = away.checks.missing();
  if (missing.length > 0)
    throw new Violation(`replica: bytes are missing away: ${missing.map(nameOfDigest).join(', ')}`);
}
