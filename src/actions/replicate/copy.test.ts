import { expect, it } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import {
  openRegion,
  pushImage,
  quarantineLayer,
  releaseQuarantine,
  stateOfBlob,
  TestFollower,
  type TestRegion,
} from '../../../test/support/regions.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { hasCode } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { manifestIdOf } from '../../records/catalog/images.ts';
import { deploymentSet } from '../../records/fleet/deployments.ts';
import { jobClaimKey } from '../../records/jobs/jobs.ts';
import { logRead } from '../../records/log/log.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { copyJob } from '../../records/regions/copies.ts';
import { collect } from '../collect/collect.ts';
import { sweepCondemned } from '../collect/sweep.ts';
import { exemptionsSet } from '../quarantine/exempt.ts';
import { copyBlob, copyGivenUp } from './copy.ts';

async function pair(world: EngineWorld, repositories: readonly string[] = []) {
  const home = await openRegion(world, { name: 'home', peers: ['away'] });
  const away = await openRegion(world, { name: 'away', peers: ['home'] });
  return { home, away, follower: new TestFollower(away, home, repositories) };
}

describeEngines('copies', (world) => {
  it('of a repository that is asked for are made, verified and then visible', async () => {
    const { home, away, follower } = await pair(world, ['acme/*']);
    const { layer, config } = await pushImage(home, { text: 'layer bytes' });
    await pushImage(home, { text: 'not asked for', repository: 'globex/app' });
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
    expect(await stateOfBlob(away, config)).toBe('live');
    expect(await textOf(away, layer)).toBe('layer bytes');
    const remote = await away.database.read
      .selectFrom('blobs')
      .select('digest')
      .where('state', '=', 'remote')
      .execute();
    expect(remote).toHaveLength(2);
    const local = await logRead(away.database.read, { after: 0, limit: 99, lane: 'local' });
    const copied = local.filter((event) => event.type === 'blob.copied');
    expect(copied.map((event) => event.subject).sort()).toEqual([layer, config].sort());
    expect(await away.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });

  it('go on where they were cut', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    follower.link.cutAfter = 4;
    await expect(follower.copier.fetchRemote(layer)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stateOfBlob(away, layer)).toBe('remote');
    await follower.copier.fetchRemote(layer);
    expect(follower.link.asked).toEqual([0, 4]);
    expect(await textOf(away, layer)).toBe('0123456789');
  });

  it('go on where they were cut when somebody asks for the blob before the next try is due', async () => {
    const { home, away, follower } = await pair(world, ['acme/*']);
    const { layer, config } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    await follower.copier.fetchRemote(config);
    follower.link.cutAfter = 4;
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('remote');
    await follower.copier.fetchRemote(layer);
    expect(follower.link.asked).toEqual([0, 0, 4]);
    expect(await textOf(away, layer)).toBe('0123456789');
    expect(await Array.fromAsync(away.blobs.list())).toHaveLength(2);
  });

  it('leave no bytes behind when they are given up', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    for (let n = 0; n < limits.jobAttemptsMax; n++) {
      follower.link.cutAfter = 1;
      await follower.copier.fetchRemote(layer).catch(() => undefined);
    }
    const dead = await away.database.read.selectFrom('jobs').select(['state', 'payload']).execute();
    expect(dead).toEqual([{ state: 'dead', payload: '{}' }]);
    await sweepCondemned({ ...away, graceMs: 0 }, 'collector');
    expect(await Array.fromAsync(away.blobs.list())).toEqual([]);
  });

  it('that are not what was asked for are never visible, and made anew', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    follower.link.corrupt = true;
    await expect(follower.copier.fetchRemote(layer)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stateOfBlob(away, layer)).toBe('remote');
    expect(await away.database.read.selectFrom('condemned_keys').selectAll().execute()).toHaveLength(1);
    follower.link.corrupt = false;
    away.clock.advance(60_000);
    await follower.copy();
    expect(await textOf(away, layer)).toBe('0123456789');
    expect(follower.link.asked).toEqual([0, 0]);
  });

  it('that are cut in the middle and then go on wrongly are found out', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    follower.link.cutAfter = 4;
    await expect(follower.copier.fetchRemote(layer)).rejects.toMatchObject({ code: 'unavailable' });
    follower.link.corrupt = true;
    await expect(follower.copier.fetchRemote(layer)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stateOfBlob(away, layer)).toBe('remote');
  });

  it('are made once for all who wait for the same blob', async () => {
    const { home, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    await Promise.all([1, 2, 3].map(() => follower.copier.fetchRemote(layer)));
    expect(follower.link.asked).toEqual([0]);
  });

  it('are begun anew under another key when the worker before may only be late', async () => {
    const { home, away, follower } = await pair(world, ['acme/*']);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    const deps = { ...away, region: 'away', links: new Map([['home', follower.link]]) };
    const claim = async () => {
      const job = await jobClaimKey(away.database, { kind: copyJob, key: layer }, 'a worker');
      if (!job) throw new Error('it claims it');
      return job;
    };
    const never = new AbortController().signal;
    const late = Promise.withResolvers<void>();
    const stalled = stalling(away.blobs, late.promise);
    const first = copyBlob({ ...deps, blobs: stalled.store }, await claim(), never);
    await stalled.isWriting;
    away.clock.advance(limits.jobLeaseMs + 1);
    expect(await copyBlob(deps, await claim(), never)).toBe('copied');
    late.resolve();
    await first.catch(() => undefined); // however it ends
    await sweepCondemned({ ...away, graceMs: 0 }, 'collector');
    expect(await textOf(away, layer)).toBe('0123456789');
    expect(await Array.fromAsync(away.blobs.list())).toHaveLength(1);
  });

  it('keep their bytes when two workers held the same job, and only one key', async () => {
    const { home, away, follower } = await pair(world, ['acme/*']);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    const deps = { ...away, region: 'away', links: new Map([['home', follower.link]]) };
    const claim = () => jobClaimKey(away.database, { kind: copyJob, key: layer }, 'a worker');
    const first = await claim();
    away.clock.advance(limits.jobLeaseMs + 1);
    const second = await claim();
    if (!first || !second) throw new Error('both claim it');
    const never = new AbortController().signal;
    const outcomes = await Promise.allSettled([copyBlob(deps, first, never), copyBlob(deps, second, never)]);
    expect(outcomes.map((outcome) => outcome.status)).toContain('fulfilled');
    await away.database.transact((tx) => copyGivenUp(tx, second));
    await sweepCondemned({ ...away, graceMs: 0 }, 'collector');
    expect(await textOf(away, layer)).toBe('0123456789');
    expect(await Array.fromAsync(away.blobs.list())).toHaveLength(1);
  });

  it('fail with unavailable when home does not answer, and are tried again when it does', async () => {
    const { home, away, follower } = await pair(world, ['**']);
    const { layer } = await pushImage(home, { text: '0123456789' });
    await follower.catchUp();
    follower.link.down = true;
    const failure = await follower.copier.fetchRemote(layer).catch((error: unknown) => error);
    expect(hasCode(failure, 'unavailable')).toBe(true);
    for (let n = 0; n < limits.jobAttemptsMax; n++) {
      away.clock.advance(3_600_000);
      await follower.copy();
    }
    const dead = await away.database.read.selectFrom('jobs').select('state').distinct().execute();
    expect(dead).toEqual([{ state: 'dead' }]);
    follower.link.down = false;
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
  });

  it('are not made while a quarantine reaches the blob, and are after its release', async () => {
    const { home, away, follower } = await pair(world, ['**']);
    const { layer, config } = await pushImage(home, { text: 'one' });
    const uid = await quarantineLayer(home, layer);
    await follower.catchUp();
    await follower.copy();
    expect([await stateOfBlob(away, layer), await stateOfBlob(away, config)]).toEqual(['remote', 'live']);
    expect(await away.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
    await releaseQuarantine(home, uid);
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
    expect(follower.problems).toEqual([]);
  });

  it('of an image that home withdrew go after the grace, also what was not marked', async () => {
    const { home, away, follower } = await pair(world, ['acme/*']);
    const { digest, config } = await pushImage(home, { text: 'layer bytes' });
    await follower.catchUp();
    await follower.copy();
    await home.database.transact(async (tx) => {
      const data = { repository: 'acme/shop', digest, quarantine: 'Q-1' };
      tx.emit({ type: 'manifest.withdrawn', lane: 'content', subject: digest, actor: 'collector', data });
    });
    await follower.catchUp();
    away.clock.advance(2);
    const collecting = { ...away, graceMs: 1 };
    await collect(collecting);
    await collect(collecting);
    expect(await stateOfBlob(away, config)).toBe('condemned');
    expect(await Array.fromAsync(away.blobs.list())).toEqual([]);
  });

  it('of a layer under reach image are made once home has spared an image that needs it', async () => {
    const { home, away, follower } = await pair(world, ['**']);
    const { layer, digest } = await pushImage(home, { text: 'one' });
    const quarantineUid = await quarantineLayer(home, layer, 'Q-1', 'image');
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('remote');
    const spared = { uid: quarantineUid, name: 'Q-1', scopeAccount: null };
    const exemption = { quarantineUid, manifestDigest: digest, exempt: true };
    await home.database.transact((tx) => exemptionsSet(tx, spared, [exemption]));
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
    const scope = { repository: 'acme/shop', account: 'acme' };
    const manifestId = await manifestIdOf(away.database.read, digest);
    expect(await refusalOfManifest(away.database.read, scope, manifestId ?? 0)).toBeUndefined();
    expect(follower.problems).toEqual([]);
  });

  it('are refused by home also before the quarantine is known here', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    await quarantineLayer(home, layer);
    await expect(follower.copier.fetchRemote(layer)).rejects.toMatchObject({ code: 'quarantined' });
    expect(await stateOfBlob(away, layer)).toBe('remote');
    await follower.catchUp();
    away.clock.advance(60_000);
    await follower.copy();
    expect(await away.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });

  it('that home refused are tried again when its release came here before the refusal', async () => {
    const { home, away, follower } = await pair(world, ['**']);
    const { layer } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    const uid = await quarantineLayer(home, layer);
    const { link } = follower;
    const blob = link.blob.bind(link);
    // Home refuses, and everything about the quarantine comes before that answer.
    link.blob = async (ask, signal) => {
      link.blob = blob;
      const refusal = await blob(ask, signal).catch((error: unknown) => error);
      await releaseQuarantine(home, uid);
      await follower.catchUp();
      throw refusal;
    };
    const deps = { ...away, region: 'away', links: new Map([['home', link]]) };
    const job = await jobClaimKey(away.database, { kind: copyJob, key: layer }, 'a worker');
    if (!job) throw new Error('it claims it');
    expect(await copyBlob(deps, job, new AbortController().signal)).toBe('refused');
    away.clock.advance(60_000);
    await follower.copy();
    expect(await textOf(away, layer)).toBe('one');
  });

  it('are made for a deployment to this region, whatever repositories are asked for', async () => {
    const { home, away, follower } = await pair(world);
    const { layer, digest } = await pushImage(home, { text: 'one' });
    await home.database.transact(async (tx) => {
      const deployment = {
        uid: 'd1',
        name: 'shop',
        account: 'globex',
        owner: 'acme',
        repository: 'acme/shop',
        reference: 'acme/shop:1',
        manifestDigest: digest,
        region: 'away',
        instance: 'edge-1',
        env: {},
        eventCriteria: [],
        stopDeadlineMs: 1_000,
        leaseMs: null,
        onLeaseEnd: 'stop' as const,
        desired: 'running' as const,
        desiredReason: null,
        createdBy: 'jo',
        createdAt: tx.nowMs,
      };
      await deploymentSet(tx, deployment, { actor: 'jo' });
    });
    await follower.catchUp();
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
  });
});

async function textOf({ database, blobs }: TestRegion, digest: string): Promise<string> {
  const row = await database.read
    .selectFrom('blobs')
    .select('storage_key')
    .where('digest', '=', digest)
    .executeTakeFirst();
  const { stream } = await blobs.read(row?.storage_key ?? '');
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The same store to a worker whose writing stands still after the first chunk, until `until`. */
function stalling(store: BlobStore, until: Promise<void>) {
  const writing = Promise.withResolvers<void>();
  async function* slowly(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      writing.resolve();
      await until;
      yield chunk;
    }
  }
  const slow: BlobStore = {
    append: (key, offset, source, options) => store.append(key, offset, slowly(source), options),
    length: (key) => store.length(key),
    commit: (key) => store.commit(key),
    read: (key, range, signal) => store.read(key, range, signal),
    delete: (keys) => store.delete(keys),
    list: (signal) => store.list(signal),
    notes: store.notes,
    close: () => store.close(),
  };
  return { isWriting: writing.promise, store: slow };
}
