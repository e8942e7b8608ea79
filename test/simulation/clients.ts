/** What clients do: push, pull and delete, as the real ones do it, and tell the oracle what they were told. */

import { blobHead, blobOpen } from '../../src/actions/pull/blob-open.ts';
import { manifestGet, manifestHead } from '../../src/actions/pull/manifest-get.ts';
import { blobMount } from '../../src/actions/push/blob-mount.ts';
import { manifestPut } from '../../src/actions/push/manifest-put.ts';
import { uploadAppend, uploadStart } from '../../src/actions/push/upload.ts';
import { uploadFinish, uploadMonolithic } from '../../src/actions/push/upload-finish.ts';
import { hasCode, LazaretError } from '../../src/lib/errors.ts';
import { limits } from '../../src/lib/limits.ts';
import { collect } from '../../src/lib/streams.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { RepositoryName } from '../../src/oci/reference.ts';
import type { Content } from '../support/oci-layout.ts';
import {
  assertRefused,
  below,
  blobKey,
  inScope,
  type ModelQuarantine,
  manifestKey,
  reachesBlob,
  reachesManifest,
  reachesPush,
  tagKey,
} from './model.ts';
import { type Operation, Violation } from './scheduler.ts';
import { nameOfDigest, type Pushable, pushables, repositories, tags } from './universe.ts';
import type { Deps, World } from './world.ts';

export interface Client {
  readonly world: World;
  readonly op: Operation;
  readonly deps: Deps;
}

/** @returns what the world refused it with; anything else that is thrown is a defect, and passed on */
export async function attempt(
  { world, op }: Pick<Client, 'world' | 'op'>,
  what: string,
  work: () => Promise<unknown>,
): Promise<LazaretError | undefined> {
  const say = (outcome: string) => world.scheduler.say(`      #${op.id} ${what}: ${outcome}`);
  try {
    await work();
    say('done');
    return undefined;
  } catch (error) {
    if (error instanceof Violation) throw error;
    if (!(error instanceof LazaretError) || error.code === 'internal')
      throw new Violation(`a defect: ${error instanceof Error ? error.stack : String(error)}`);
    say(error.code);
    return error;
  }
}

/** The blobs, skipping or mounting those that are said to be there, then the manifest. Children of an index come first. */
export async function pushAll(
  client: Client,
  push: { repository: RepositoryName; pushable: Pushable; tag?: string; withChildren: boolean },
): Promise<void> {
  const { repository, pushable, tag, withChildren } = push;
  if (pushable.kind === 'index' && withChildren)
    for (const child of pushable.children) await pushAll(client, { ...push, pushable: child, tag: '' });
  for (let round = 0; round < 2; round++) {
    if (pushable.kind === 'image')
      for (const blob of [...pushable.layers, pushable.config]) await bringBlob(client, repository, blob);
    const refused = await putManifest(client, { repository, pushable, tag: tag || undefined });
    if (refused?.code !== 'manifestBlobUnknown' || pushable.kind === 'index') return;
  }
}

async function bringBlob(client: Client, repository: RepositoryName, blob: Content): Promise<void> {
  const { random } = client.world.scheduler;
  const way = random.weighted({ head: 4, mount: 2, upload: 4 });
  if (way === 'head' && (await head(client, repository, blob))) return;
  if (way === 'mount' && (await mount(client, repository, blob))) return;
  await upload(client, repository, blob);
}

/** @returns whether it is said to be there */
export async function head(client: Client, repository: RepositoryName, blob: Content): Promise<boolean> {
  const { deps } = client;
  const door = blobDoor(client, repository, blob.digest);
  const refused = await attempt(client, `HEAD ${repository.name} ${nameOfDigest(blob.digest)}`, async () => {
    await blobHead(deps, { repository, digest: blob.digest });
    door.served('HEAD of a blob answered 200');
  });
  door.refused(refused);
  return refused === undefined;
}

export async function mount(client: Client, repository: RepositoryName, blob: Content): Promise<boolean> {
  const { world, op, deps } = client;
  const { random } = world.scheduler;
  const others = world.settings.focus.repositories.filter((other) => other.name !== repository.name);
  const from = random.pick(others.length > 0 ? others : repositories);
  const door = blobDoor(client, repository, blob.digest);
  const arrival = world.model.arrives(op, blobKey(repository.name, blob.digest));
  const promisedFrom = world.scheduler.earliestWall();
  let mounted = false;
  op.onTransaction = door.again;
  const what = `mount ${repository.name} ${nameOfDigest(blob.digest)} from ${from.name}`;
  await attempt(client, what, async () => {
    mounted = (await blobMount(deps, { repository, from, digest: blob.digest, allowed: true })) !== undefined;
    if (!mounted) return;
    world.model.arrived(arrival, promisedFrom() + limits.uploadHoldMs);
    door.served('a blob was mounted');
  });
  world.model.arrivalEnded(arrival);
  return mounted;
}

/** In one request, or in chunks; sometimes it is never closed. */
export async function upload(client: Client, repository: RepositoryName, blob: Content): Promise<void> {
  const { world, op, deps } = client;
  const { random } = world.scheduler;
  const door = blobDoor(client, repository, blob.digest);
  const arrival = world.model.arrives(op, blobKey(repository.name, blob.digest));
  const promisedFrom = world.scheduler.earliestWall();
  const principal = 'jo';
  const end = { repository, digest: blob.digest, principal };
  op.onTransaction = door.again;
  await attempt(client, `upload ${repository.name} ${nameOfDigest(blob.digest)}`, async () => {
    if (random.chance(0.5)) {
      await uploadMonolithic(deps, { ...end, source: chunksOf(blob.bytes) });
    } else {
      const half = Math.floor(blob.bytes.length / 2);
      const { uploadId } = await uploadStart(deps, { repository, principal });
      const begun = { repository, uploadId, principal };
      await uploadAppend(deps, { ...begun, source: chunksOf(blob.bytes.subarray(0, half)) });
      if (random.chance(0.1)) return world.model.arrivalEnded(arrival);
      const broken = random.chance(0.05) ? half + 1 : half;
      await uploadFinish(deps, { ...end, uploadId, source: chunksOf(blob.bytes.subarray(broken)) });
      if (broken !== half) throw new Violation('an upload with the wrong bytes was accepted');
    }
    world.model.arrived(arrival, promisedFrom() + limits.uploadHoldMs);
    door.served('an upload was accepted');
  });
  world.model.arrivalEnded(arrival);
}

async function putManifest(
  client: Client,
  put: { repository: RepositoryName; pushable: Pushable; tag?: string | undefined },
): Promise<LazaretError | undefined> {
  const { world, op, deps } = client;
  const { model } = world;
  const { repository, pushable, tag } = put;
  const { digest, bytes, mediaType } = pushable.manifest;
  const reaches = (each: ModelQuarantine) =>
    inScope(each, repository) && reachesPush(each, pushable, model.manifestsHere);
  let before = model.refusing(reaches);
  // What was acknowledged before the transaction that accepts it must refuse it.
  op.onTransaction = () => {
    before = model.refusing(reaches);
  };
  const arrival = model.arrives(op, manifestKey(repository.name, digest));
  const arrivals = [arrival];
  const ends: (() => void)[] = [];
  if (tag !== undefined) {
    // Whatever the tag named, it may name this now.
    for (const other of pushables)
      if (other !== pushable)
        ends.push(model.leaves(op, tagKey(repository.name, tag, other.manifest.digest)));
    arrivals.push(model.arrives(op, tagKey(repository.name, tag, digest)));
  }
  const what = `PUT ${repository.name} ${pushable.name}${tag === undefined ? '' : ` as ${tag}`}`;
  const refused = await attempt(client, what, async () => {
    await manifestPut(deps, {
      repository,
      reference: tag === undefined ? { digest } : { tag },
      bytes,
      contentType: mediaType,
      principal: 'jo',
    });
    for (const each of arrivals) model.arrived(each);
    assertRefused(model, before.filter(reaches), `${pushable.name} was accepted in ${repository.name}`);
  });
  for (const each of arrivals) model.arrivalEnded(each);
  for (const end of ends) end();
  if (refused?.code === 'storeMissing') throw new Violation(`a push failed by: ${refused.message}`);
  return refused;
}

/** The manifest, and what it needs, at any depth. P2: nothing that was marked. P4: all that was acknowledged. */
export async function pullAll(client: Client, repository: RepositoryName, pushable: Pushable): Promise<void> {
  await pullManifest(client, repository, pushable);
  if (pushable.kind === 'index') {
    for (const child of pushable.children) await pullAll(client, repository, child);
    return;
  }
  for (const blob of [...pushable.layers, pushable.config])
    await pullBlob(client, repository, blob, pushable);
}

async function pullManifest(client: Client, repository: RepositoryName, pushable: Pushable): Promise<void> {
  const { world, op, deps } = client;
  const { model, scheduler } = world;
  const { digest, bytes } = pushable.manifest;
  const reaches = (each: ModelQuarantine) =>
    inScope(each, repository) && reachesManifest(each, pushable, model.manifestsHere);
  const before = model.refusing(reaches);
  const promise = promiseOf(world, {
    repository,
    key: manifestKey(repository.name, digest),
    needs: below(pushable),
  });
  const byTag = scheduler.random.chance(0.3)
    ? tags.find((tag) => model.isExpected(tagKey(repository.name, tag, digest), scheduler.wallMs))
    : undefined;
  const tagged =
    byTag && promiseOf(world, { repository, key: tagKey(repository.name, byTag, digest), needs: [] });
  const refused = await attempt(client, `GET ${repository.name} ${pushable.name}`, async () => {
    const name = { repository, reference: byTag === undefined ? { digest } : { tag: byTag } };
    const ask = scheduler.random.chance(0.2) && byTag === undefined;
    if (ask) await manifestHead(deps, { ...name, mayPush: false });
    else {
      const { body } = await manifestGet(deps, name);
      if (byTag === undefined && digestOf(body) !== digestOf(bytes))
        throw new Violation(`P1: ${pushable.name} has other bytes`);
      if (digestOf(body) !== digestOf(bytes)) return;
    }
    assertRefused(model, before.filter(reaches), `${pushable.name} was served in ${repository.name}`);
  });
  if (refused && !op.disturbed && promise.kept() && (tagged === undefined || tagged.kept()))
    throw new Violation(
      `P4: ${pushable.name} of ${repository.name} was acknowledged, but a pull got ${refused.code}: ${refused.message}`,
    );
}

export async function pullBlob(
  client: Client,
  repository: RepositoryName,
  blob: Content,
  needed?: Pushable,
): Promise<void> {
  const { world, op, deps } = client;
  const door = blobDoor(client, repository, blob.digest);
  const key = needed
    ? manifestKey(repository.name, needed.manifest.digest)
    : blobKey(repository.name, blob.digest);
  const promise = promiseOf(world, { repository, key, needs: [blob.digest] });
  const refused = await attempt(client, `GET ${repository.name} ${nameOfDigest(blob.digest)}`, async () => {
    const { stream } = await blobOpen(deps, { repository, digest: blob.digest });
    const bytes = await collect(stream, 1 << 16);
    door.served('the bytes of a blob were served');
    if (digestOf(bytes) !== blob.digest)
      throw new Violation(`P1: ${nameOfDigest(blob.digest)} has other bytes`);
  });
  if (refused && !op.disturbed && promise.kept())
    throw new Violation(
      `P4: blob ${nameOfDigest(blob.digest)} of ${repository.name} (${key.split(' ')[0]}) was acknowledged, but a pull got ${refused.code}: ${refused.message}`,
    );
  if (refused?.code === 'storeMissing') throw new Violation(`P1: a pull got ${refused.message}`);
}

/** Whether it had to be served all the time from here on: nothing was taken away or marked meanwhile. */
function promiseOf(
  world: World,
  { repository, key, needs }: { repository: RepositoryName; key: string; needs: readonly string[] },
): { kept(): boolean } {
  const { model, scheduler } = world;
  const holds = () => model.isExpected(key, scheduler.wallMs) && !model.mayBeRefused(repository, needs);
  const [held, version, quarantines] = [holds(), model.entry(key).version, model.quarantineVersion];
  return {
    kept: () =>
      held && holds() && model.entry(key).version === version && model.quarantineVersion === quarantines,
  };
}

function blobDoor({ world }: Client, repository: RepositoryName, digest: string) {
  const { model } = world;
  const reaches = (each: ModelQuarantine) =>
    inScope(each, repository) && reachesBlob(each, digest, model.inspected.has(digest));
  let before = model.refusing(reaches);
  return {
    /** Of what is accepted, not served: what was acknowledged before the last transaction counts as well. */
    again: () => {
      before = model.refusing(reaches);
    },
    served: (what: string) =>
      assertRefused(model, before.filter(reaches), `${what} (${nameOfDigest(digest)} in ${repository.name})`),
    refused: (error: LazaretError | undefined) => {
      if (error && hasCode(error, 'storeMissing')) throw new Violation(`P1: ${error.message}`);
    },
  };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = Math.max(1, Math.ceil(bytes.length / 2));
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
