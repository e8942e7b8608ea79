import { expect, it } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import {
  openRegion,
  pushImage,
  quarantineLayer,
  releaseQuarantine,
  TestFollower,
  TestLink,
  type TestRegion,
} from '../../../test/support/regions.ts';
import type { ReplicationLine } from '../../contract/replication.ts';
import { limits } from '../../lib/limits.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import { logRead } from '../../records/log/log.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { acknowledgementList, quarantineGet } from '../../records/marks/quarantines.ts';
import { regionGet } from '../../records/regions/regions.ts';
import { followPeer } from './follow.ts';
import { replicationLines } from './serve-stream.ts';

async function pair(world: EngineWorld, repositories: readonly string[] = []) {
  const home = await openRegion(world, { name: 'home', peers: ['away'] });
  const away = await openRegion(world, { name: 'away', peers: ['home'] });
  return { home, away, follower: new TestFollower(away, home, repositories) };
}

describeEngines('the lanes', (world) => {
  it('send a quarantine before the content that came before it', async () => {
    const { home } = await pair(world);
    const { layer } = await pushImage(home, { text: 'one' });
    await quarantineLayer(home, layer);
    const first: ReplicationLine[] = [];
    const cursors = { quarantine: 0, content: 0 };
    for await (const line of replicationLines(
      { ...home, region: 'home' },
      cursors,
      new AbortController().signal,
    )) {
      first.push(line);
      if ('head' in line) break;
    }
    const types = first.map((line) => ('head' in line ? 'heartbeat' : line.event.type));
    expect(types[0]).toBe('quarantine.set');
    expect(types.slice(1)).toContain('manifest.pushed');
    expect(types.at(-1)).toBe('heartbeat');
  });

  it('apply a quarantine while the content lane waits for its peer', async () => {
    const { home, away, follower } = await pair(world);
    const { layer } = await pushImage(home, { text: 'one' });
    const uid = await quarantineLayer(home, layer);
    const gate = Promise.withResolvers<void>();
    follower.link.accessGate = gate.promise;
    const caughtUp = follower.catchUp();
    await until(away, async () => (await quarantineGet(away.database.read, uid)) !== undefined);
    expect(await away.database.read.selectFrom('manifests').selectAll().execute()).toEqual([]);
    gate.resolve();
    await caughtUp;
    const image = await manifestInRepository(away.database.read, {
      repository: 'acme/shop',
      reference: { tag: '1' },
    });
    const scope = { repository: 'acme/shop', account: 'acme' };
    expect(await refusalOfManifest(away.database.read, scope, image?.id ?? 0)).toMatchObject({
      quarantine: 'Q-1',
    });
  });

  it('send a new event over an open connection without a heartbeat’s wait', async () => {
    const { home, away, follower } = await pair(world);
    follower.link.stays = true;
    const stop = new AbortController();
    const following = followPeer(follower.deps, follower.link, stop.signal);
    await until(away, async () => ((await regionGet(away.database.read, 'home'))?.last_heard_at ?? 0) > 0);
    const uid = await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    // No clock moves: only the commit at home can have woken the stream.
    await until(away, async () => (await quarantineGet(away.database.read, uid)) !== undefined);
    stop.abort();
    await following;
    expect(follower.problems).toEqual([]);
  });

  it('keep what is newer when an older version comes late', async () => {
    const { home, away, follower } = await pair(world);
    const uid = await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    await releaseQuarantine(home, uid);
    const [set, released] = await logRead(home.database.read, { after: 0, limit: 10, lane: 'quarantine' });
    if (!set || !released) throw new Error('two events were expected');
    // As if a restored peer said the older thing again, as something new.
    const lines = [
      { ...released, position: 1 },
      { ...set, position: 2, id: 'home/later/2' },
    ];
    follower.link.script = lines.map((event) => ({
      lane: 'quarantine',
      event: { ...event, lane: 'quarantine' as const },
    }));
    await follower.catchUp();
    expect(await quarantineGet(away.database.read, uid)).toMatchObject({ releasedBy: 'sam' });
  });

  it('keep two quarantines apart that regions gave the same name', async () => {
    const { home, away, follower } = await pair(world);
    await quarantineLayer(away, `sha256:${'b'.repeat(64)}`);
    const uid = await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    await follower.catchUp();
    expect(await quarantineGet(away.database.read, uid)).toMatchObject({ name: 'Q-1@home', origin: 'home' });
  });

  it('pass over and count a content event of an unknown type, or broken', async () => {
    const { home, away, follower } = await pair(world);
    await home.database.transact(async (tx) => {
      tx.emit({ type: 'moon.risen', lane: 'content', subject: 'm', actor: 'x', data: {} });
      tx.emit({ type: 'tag.set', lane: 'content', subject: 't', actor: 'x', data: { repository: 7 } });
    });
    await pushImage(home, { text: 'one' });
    await follower.catchUp();
    const row = await regionGet(away.database.read, 'home');
    expect(row).toMatchObject({ content_skipped: 2, stopped_reason: null });
    expect(row?.content_cursor).toBe(row?.content_head);
    expect(follower.problems).toEqual([
      expect.stringContaining('moon.risen'),
      expect.stringContaining('tag.set'),
    ]);
  });

  it('stand still in quarantine, and go on in content, at an unknown type', async () => {
    const { home, away, follower } = await pair(world);
    await home.database.transact(async (tx) =>
      tx.emit({ type: 'moon.risen', lane: 'quarantine', subject: 'm', actor: 'x', data: {} }),
    );
    const uid = await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    const { digest } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    await follower.catchUp();
    const row = await regionGet(away.database.read, 'home');
    expect(row).toMatchObject({
      quarantine_cursor: 0,
      stopped_reason: expect.stringContaining('moon.risen'),
    });
    expect(await quarantineGet(away.database.read, uid)).toBeUndefined();
    const image = await manifestInRepository(away.database.read, {
      repository: 'acme/shop',
      reference: { digest },
    });
    expect(image).toBeDefined();
    expect(follower.problems).toHaveLength(1);
  });

  it('carry a region’s own events only, and none that are local', async () => {
    const home = await openRegion(world, { name: 'home', peers: ['away'] });
    const away = await openRegion(world, { name: 'away', peers: ['home', 'far'] });
    const { layer } = await pushImage(home, { text: 'one' });
    await quarantineLayer(home, layer);
    await away.database.transact(async (tx) =>
      tx.emit({ type: 'blob.copied', lane: 'local', subject: 'b', actor: 'x', data: {} }),
    );
    const follower = new TestFollower(away, home);
    await follower.catchUp();
    await follower.acknowledge();
    const lines: ReplicationLine[] = [];
    const never = new AbortController().signal;
    for await (const line of new TestLink(away).stream({ quarantine: 0, content: 0 }, never))
      lines.push(line);
    const events = lines.flatMap((line) => ('head' in line ? [] : [line.event]));
    expect(new Set(events.map((event) => event.origin))).toEqual(new Set(['away']));
    expect(new Set(events.map((event) => event.type))).toEqual(
      new Set(['access.changed', 'quarantine.acknowledged']),
    );
  });

  it('bring the acknowledgement of a quarantine home, once it is also a note', async () => {
    const { home, away, follower } = await pair(world);
    const uid = await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    await follower.catchUp();
    expect(await away.blobs.notes.names(`quarantine/${uid}/`)).toEqual([]);
    await follower.acknowledge();
    await new TestFollower(home, away).catchUp();
    const version = (await quarantineGet(home.database.read, uid))?.version;
    const note = JSON.parse((await away.blobs.notes.get(`quarantine/${uid}/${version}.json`)) ?? '{}');
    expect(note).toMatchObject({ uid, version });
    const acknowledged = { region: 'away', version, acknowledgedAt: away.clock.wallMs() };
    expect(await acknowledgementList(home.database.read, uid)).toEqual([acknowledged]);
    await releaseQuarantine(home, uid);
    await follower.catchUp();
    await follower.acknowledge();
    await new TestFollower(home, away).catchUp();
    const [newer] = await acknowledgementList(home.database.read, uid);
    expect(newer?.version).toBe((await quarantineGet(home.database.read, uid))?.version);
  });

  it('are followed again after the peer was out of reach, and it is said once', async () => {
    const { home, away, follower } = await pair(world);
    follower.link.down = true;
    const stop = new AbortController();
    const following = followPeer(follower.deps, follower.link, stop.signal);
    await settle(() => follower.problems.length > 0);
    for (let n = 0; n < 3; n++) {
      away.clock.advance(limits.reconnectMaxMs);
      await settle();
    }
    expect(follower.problems).toHaveLength(1);
    follower.link.down = false;
    await quarantineLayer(home, `sha256:${'a'.repeat(64)}`);
    await settle(async () => {
      away.clock.advance(limits.reconnectMaxMs);
      return (await regionGet(away.database.read, 'home'))?.quarantine_cursor === 1;
    });
    stop.abort();
    await following;
  });
});

/** Looks again after each commit of the region. */
async function until({ database }: TestRegion, holds: () => Promise<boolean>): Promise<void> {
  const woken = Promise.withResolvers<void>();
  const look = async () => {
    if (await holds()) woken.resolve();
  };
  const unsubscribe = database.onCommit(() => void look().catch(woken.reject));
  await look();
  await woken.promise;
  unsubscribe();
}

/** Lets what is under way go on, until `holds`. */
async function settle(holds: () => boolean | Promise<boolean> = () => true): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (!(await holds()));
}
