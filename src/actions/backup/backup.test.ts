import { appendFile, copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FaultyStore } from '../../../test/support/faulty-store.ts';
import { freshDatabase } from '../../../test/support/postgres.ts';
import {
  openRegion,
  pushImage,
  quarantineLayer,
  type RegionParts,
  releaseQuarantine,
  TestFollower,
  type TestRegion,
} from '../../../test/support/regions.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { openMemoryStore } from '../../blobs/memory.ts';
import { ManualClock } from '../../lib/clock.ts';
import type { Digest } from '../../oci/digest.ts';
import { collectorOff } from '../../records/collection/collector-state.ts';
import type { Database } from '../../records/db/database.ts';
import { type DatabaseConfig, openDatabase } from '../../records/db/drivers.ts';
import { logHead, logRead } from '../../records/log/log.ts';
import { refusalOfBlob } from '../../records/marks/door.ts';
import { quarantineGet } from '../../records/marks/quarantines.ts';
import { regionGet, regionsEnsure } from '../../records/regions/regions.ts';
import { keepNote } from '../quarantine/note.ts';
import { backup } from './backup.ts';
import { backupRecordRead, copyPath } from './backup-folder.ts';
import { restore } from './restore.ts';

const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lazaret-backup-'));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe.each(['sqlite', 'postgres'] as const)('a backup of %s', (engine) => {
  async function freshConfig(): Promise<DatabaseConfig> {
    if (engine === 'sqlite') return { kind: engine, file: join(await folder(), 'metadata.sqlite') };
    const { url, drop } = await freshDatabase();
    cleanups.push(drop);
    return { kind: engine, url };
  }

  async function openHome(config: DatabaseConfig, blobs: BlobStore, clock = new ManualClock()) {
    const database = await openDatabase(config, { region: 'home', clock });
    cleanups.push(() => database.close());
    const seed = (name: string) => ({ name, url: `http://${name}.example` });
    await database.transact((tx) =>
      regionsEnsure(tx, { self: seed('home'), primary: 'home', peers: [seed('west')] }),
    );
    const region: TestRegion = { name: 'home', database, blobs, clock };
    return region;
  }

  /** A region with one image, what it takes to back it up, and to restore it elsewhere. */
  async function world() {
    const config = await freshConfig();
    const blobs = await openMemoryStore({ region: 'home' });
    const home = await openHome(config, blobs);
    const image = await pushImage(home, { text: 'a layer' });
    const dir = await folder();
    const deps = { database: config, blobs, clock: home.clock, region: 'home', version: '1.0.0' };
    const save = (change: Partial<typeof deps> = {}, signal = never) =>
      backup({ ...deps, ...change }, dir, signal);
    /** Into a new database, over this store. */
    const recover = async (store: BlobStore) => {
      const target = await freshConfig();
      const done = await restore({ ...deps, database: target, blobs: store }, dir, never);
      return { done, target, region: await openHome(target, store, home.clock) };
    };
    return { config, blobs, home, image, dir, deps, save, recover };
  }

  const emptyStore = () => openMemoryStore({ region: 'home' });

  it('brings everything back: bytes, tags, the log, and keys that go on', async () => {
    const { home, image, save, recover } = await world();
    expect(await save()).toMatchObject({ copiedBlobs: 2, broken: [], record: { blobs: 2, manifests: 1 } });
    const { done, region } = await recover(await emptyStore());
    expect(done).toMatchObject({ copiedBlobs: 2, missing: [], replayed: 0 });
    expect(await bytesOf(region, image.layer)).toBe('a layer');
    const tags = await region.database.read.selectFrom('tags').select('name').execute();
    expect(tags).toEqual([{ name: '1' }]);
    const before = await logRead(home.database.read, { after: 0, limit: 100 });
    const after = await logRead(region.database.read, { after: 0, limit: 100 });
    expect(after.slice(0, before.length)).toEqual(before);
    const again = await pushImage(region, { text: 'another layer', tag: '2' });
    expect(await bytesOf(region, again.layer)).toBe('another layer');
  });

  it('copies only what is new, and lets go of what went', async () => {
    const { home, image, save, dir } = await world();
    await save();
    await pushImage(home, { text: 'another layer', tag: '2' });
    await home.database.transact(async ({ db }) => {
      const gone = db.updateTable('blobs').set({ state: 'condemned', storage_key: null });
      await gone.where('digest', '=', image.config).execute();
    });
    expect(await save()).toMatchObject({ copiedBlobs: 2, pruned: 1 });
    expect(await save()).toMatchObject({ copiedBlobs: 0, copiedBytes: 0, pruned: 0 });
    expect(await readdir(join(dir, 'database'))).toHaveLength(1);
  });

  it('that is cut off leaves the one before it whole, and the next one goes on', async () => {
    const { home, blobs, save, recover, dir } = await world();
    await save();
    const before = await backupRecordRead(dir);
    await pushImage(home, { text: 'another layer', tag: '2' });
    const faulty = new FaultyStore(blobs);
    faulty.fail('read', { after: 1, afterBytes: 3 });
    await expect(save({ blobs: faulty })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await backupRecordRead(dir)).toEqual(before);
    const { done, region } = await recover(await emptyStore());
    expect(done.missing).toEqual([]);
    expect(await region.database.read.selectFrom('tags').select('name').execute()).toHaveLength(1);
    expect(await save()).toMatchObject({ copiedBlobs: 1, record: { manifests: 2 } });
    expect((await recover(await emptyStore())).done.missing).toEqual([]);
  });

  it('made while images are pushed has the bytes of every image in it', async () => {
    const { home, save, recover } = await world();
    const saving = save();
    for (let n = 2; n < 12; n++) await pushImage(home, { text: `layer ${n}`, tag: String(n) });
    const { broken, record } = await saving;
    expect(broken).toEqual([]);
    expect(record.manifests).toBeGreaterThanOrEqual(1);
    const { done, region } = await recover(await emptyStore());
    expect(done.missing).toEqual([]);
    const { manifests } = record;
    expect(await region.database.read.selectFrom('tags').select('name').execute()).toHaveLength(manifests);
  });

  it('that never ended is not taken for a whole one', async () => {
    const { blobs, save, recover } = await world();
    const faulty = new FaultyStore(blobs);
    faulty.fail('read', { afterBytes: 3 });
    await expect(save({ blobs: faulty })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(recover(await emptyStore())).rejects.toMatchObject({ code: 'notFound' });
  });

  it('whose copy was changed is refused', async () => {
    const { save, recover, dir } = await world();
    const { record } = await save();
    await appendFile(copyPath(dir, record.copy), '\n');
    await expect(recover(await emptyStore())).rejects.toMatchObject({ code: 'digestInvalid' });
  });

  it('tells of bytes that the store has lost or has wrong, and does not copy rot', async () => {
    const { home, image, save, recover, blobs } = await world();
    await blobs.delete([await keyOf(home.database, image.config)]);
    const rotten = await keyOf(home.database, image.layer);
    await blobs.delete([rotten]);
    await blobs.append(rotten, 0, one(Buffer.from('A layer')));
    await blobs.commit(rotten);
    const { broken } = await save();
    expect(new Set(broken)).toEqual(
      new Set([
        { digest: image.layer, problem: 'damaged' },
        { digest: image.config, problem: 'missing' },
      ]),
    );
    const { done } = await recover(await emptyStore());
    expect(new Set(done.missing)).toEqual(new Set([image.layer, image.config]));
  });

  it('is not restored over a database that has anything in it', async () => {
    const { deps, save, dir, config } = await world();
    await save();
    await expect(restore({ ...deps, database: config }, dir, never)).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('is not restored as another region', async () => {
    const { deps, save, dir } = await world();
    await save();
    const other = { ...deps, database: await freshConfig(), region: 'west' };
    await expect(restore(other, dir, never)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('that can not be restored leaves a database that the next attempt fills', async () => {
    const { deps, save, dir } = await world();
    await save();
    const blobs = await emptyStore();
    await blobs.notes.put('quarantine/broken.json', '{');
    const target = await freshConfig();
    await expect(restore({ ...deps, blobs, database: target }, dir, never)).rejects.toMatchObject({
      code: 'invalid',
    });
    await blobs.notes.put('quarantine/broken.json', '{}');
    await expect(restore({ ...deps, blobs, database: target }, dir, never)).rejects.toThrow('broken.json');
    const healed = await emptyStore();
    expect(await restore({ ...deps, blobs: healed, database: target }, dir, never)).toMatchObject({
      missing: [],
    });
  });

  it('does not lift a mark that was set after it was made', async () => {
    const { home, image, blobs, save, recover } = await world();
    await save();
    const uid = await mark(home, image.layer);
    const { done, region } = await recover(blobs);
    expect(done.replayed).toBe(1);
    expect(await refused(region, image.layer)).toBe(true);
    expect(await quarantineGet(region.database.read, uid)).toMatchObject({ releasedAt: null });
  });

  it('does not set a mark again that was released after it was made', async () => {
    const { home, image, blobs, save, recover } = await world();
    const uid = await mark(home, image.layer);
    await save();
    await releaseQuarantine(home, uid);
    await note(home, uid);
    const { region } = await recover(blobs);
    expect(await refused(region, image.layer)).toBe(false);
  });

  it('brings marks back from its own notes when the store is lost as well', async () => {
    const { home, image, save, recover } = await world();
    await mark(home, image.layer);
    await save();
    const { region } = await recover(await emptyStore());
    expect(await refused(region, image.layer)).toBe(true);
    // And the mark can be lifted: the release is newer than whatever the note said.
    const [{ uid } = { uid: '' }] = await region.database.read
      .selectFrom('quarantines')
      .select('uid')
      .execute();
    await releaseQuarantine(region, uid);
    expect(await refused(region, image.layer)).toBe(false);
  });

  it('leaves the collector off, and ends the upload sessions', async () => {
    const { save, recover } = await world();
    await save();
    const { region } = await recover(await emptyStore());
    expect(await collectorOff(region.database.read)).toMatch(/not scrubbed since/);
    expect(await region.database.read.selectFrom('uploads').select('id').execute()).toEqual([]);
  });

  it('restored, goes on under a new epoch, and no follower passes over what happens then', async () => {
    const { home, blobs, save, recover } = await world();
    const west = await westOf(home.clock);
    await save();
    const lost = await pushImage(home, { text: 'after the backup', tag: '2' });
    const follower = new TestFollower(west, home);
    await follower.catchUp();
    const { region, done } = await recover(blobs);
    expect(await logHead(region.database.read)).toBeGreaterThan(await logHead(home.database.read));
    const later = await pushImage(region, { text: 'after the restore', tag: '3' });
    const marked = await mark(region, later.layer, 'Q-9');
    const again = new TestFollower(west, region);
    await again.catchUp();
    expect(again.problems).toEqual([]);
    const known = await west.database.read.selectFrom('manifests').select('digest').execute();
    expect(known.map(({ digest }) => digest)).toEqual(expect.arrayContaining([lost.digest, later.digest]));
    expect(await quarantineGet(west.database.read, marked)).toMatchObject({ name: 'Q-9' });
    const events = await logRead(west.database.read, { after: 0, limit: 1000 });
    const restored = events.filter((event) => event.type === 'region.restored');
    expect(restored.map(({ data }) => data.epoch)).toEqual([done.epoch, done.epoch]);
  });

  it('put back by hand, stops whoever followed further, until it is restored', async () => {
    const { home, blobs, dir, save, recover } = await world();
    const west = await westOf(home.clock);
    const { record } = await save();
    await pushImage(home, { text: 'after the backup', tag: '2' });
    await new TestFollower(west, home).catchUp();
    if (engine === 'postgres') return expect(record.engine).toBe('postgres'); // there is no file to put back
    const byHand = { kind: 'sqlite', file: join(await folder(), 'metadata.sqlite') } as const;
    await copyFile(copyPath(dir, record.copy), byHand.file);
    const region = await openHome(byHand, blobs, home.clock);
    const stopped = async () => (await regionGet(west.database.read, 'home'))?.stopped_reason;
    await expect(new TestFollower(west, region).catchUp()).rejects.toMatchObject({ code: 'conflict' });
    expect(await stopped()).toMatch(/put back without lazaret restore/);
    const cursors = await regionGet(west.database.read, 'home');
    for (let n = 3; n < 9; n++) await pushImage(region, { text: `layer ${n}`, tag: String(n) });
    await expect(new TestFollower(west, region).catchUp()).rejects.toMatchObject({ code: 'conflict' });
    expect(await regionGet(west.database.read, 'home')).toMatchObject({
      content_cursor: cursors?.content_cursor,
    });
    const { region: restored } = await recover(blobs);
    await pushImage(restored, { text: 'after the restore', tag: '9' });
    await new TestFollower(west, restored).catchUp();
    expect(await stopped()).toBeNull();
    const tags = await west.database.read.selectFrom('tags').select('name').orderBy('name').execute();
    expect(tags.map(({ name }) => name)).toEqual(['1', '2', '9']);
  });

  async function westOf(clock: ManualClock) {
    const config = await freshConfig();
    const open = async ({ region = 'west' } = {}) => {
      const database = await openDatabase(config, { region, clock });
      cleanups.push(() => database.close());
      return database;
    };
    return openRegion({ open }, { name: 'west', peers: ['home'], clock });
  }
});

async function mark(region: RegionParts, layer: Digest, name = 'Q-1'): Promise<string> {
  const uid = await quarantineLayer(region, layer, name);
  await note(region, uid);
  return uid;
}

async function note({ database, blobs }: RegionParts, uid: string): Promise<void> {
  const quarantine = await quarantineGet(database.read, uid);
  if (quarantine) await keepNote(blobs, quarantine);
}

async function refused({ database }: RegionParts, digest: Digest): Promise<boolean> {
  const scope = { repository: 'acme/shop', account: 'acme' };
  return (await refusalOfBlob(database.read, scope, digest)) !== undefined;
}

async function keyOf(database: Database, digest: Digest): Promise<string> {
  const row = await database.read
    .selectFrom('blobs')
    .select('storage_key')
    .where('digest', '=', digest)
    .executeTakeFirstOrThrow();
  return row.storage_key ?? '';
}

async function bytesOf({ database, blobs }: RegionParts, digest: Digest): Promise<string> {
  const { stream } = await blobs.read(await keyOf(database, digest));
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

async function* one(bytes: Uint8Array) {
  yield bytes;
}
