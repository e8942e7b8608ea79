import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { openRegion, pushImage, stateOfBlob, TestFollower } from '../../../test/support/regions.ts';
import { randomKey } from '../../lib/random.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { collectorOff, collectorTurnOff } from '../../records/collection/collector-state.ts';
import type { Database } from '../../records/db/database.ts';
import { logRead } from '../../records/log/log.ts';
import { uploadAppend, uploadStart } from '../push/upload.ts';
import { type ScrubDeps, type ScrubFinding, type ScrubLine, scrub } from './scrub.ts';

const never = new AbortController().signal;

async function scrubbed(deps: ScrubDeps, how: { repair?: boolean; verify?: boolean } = {}) {
  const ask = { repair: false, verify: false, actor: 'admin', ...how };
  const lines: ScrubLine[] = await Array.fromAsync(scrub(deps, ask, never));
  const findings = lines.filter((line): line is ScrubFinding => line.kind === 'finding');
  const found = findings.map(({ problem, outcome, digest }) => ({ problem, outcome, digest }));
  return { found, end: lines.at(-1) };
}

async function keyOf(database: Database, digest: Digest): Promise<string> {
  const row = await database.read
    .selectFrom('blobs')
    .select('storage_key')
    .where('digest', '=', digest)
    .executeTakeFirstOrThrow();
  return row.storage_key ?? '';
}

/** Other bytes under the key of a blob. */
async function overwrite(deps: ScrubDeps, digest: Digest, bytes: Buffer): Promise<void> {
  const key = await keyOf(deps.database, digest);
  await deps.blobs.delete([key]);
  await deps.blobs.append(key, 0, one(bytes));
  await deps.blobs.commit(key);
}

async function* one(bytes: Uint8Array) {
  yield bytes;
}

async function shop(house: House) {
  const layer = await buildLayer([{ path: 'app/shop', content: 'shop' }]);
  const image = buildImage({ layers: [layer] });
  await house.push('acme/shop:1', image);
  return { layer, image };
}

describeEngines('a scrub', (world) => {
  it('finds nothing where all is well, uploads in progress included', async () => {
    const house = await openHouse(world);
    await shop(house);
    const repository = parseRepositoryName('acme/shop');
    const { uploadId } = await uploadStart(house.deps, { repository, principal: 'jo' });
    const upload = { repository, uploadId, principal: 'jo' };
    await uploadAppend(house.deps, { ...upload, source: one(Buffer.from('half')) });
    const { found, end } = await scrubbed(house.deps, { repair: true, verify: true });
    expect(found).toEqual([]);
    expect(end).toMatchObject({ kind: 'end', keys: 3, rows: 2, findings: 0 });
  });

  it('lets go of bytes that no row names, and of nothing when it only looks', async () => {
    const house = await openHouse(world);
    await shop(house);
    const key = randomKey();
    await house.blobs.append(key, 0, one(Buffer.from('nobody’s')));
    const orphan = { problem: 'orphan', digest: null };
    expect((await scrubbed(house.deps)).found).toEqual([{ ...orphan, outcome: 'reported' }]);
    await house.collect();
    expect(await house.storedKeys()).toBe(3);
    const repaired = await scrubbed(house.deps, { repair: true });
    expect(repaired.found).toEqual([{ ...orphan, outcome: 'condemned' }]);
    expect(repaired.end).toMatchObject({ findings: 1, repaired: 1 });
    await house.collect();
    expect(await house.storedKeys()).toBe(2);
    expect((await scrubbed(house.deps, { repair: true })).found).toEqual([]);
  });

  it('leaves bytes that are too young to be orphans', async () => {
    const house = await openHouse(world);
    const key = randomKey();
    await house.blobs.append(key, 0, one(Buffer.from('just begun')));
    const changedAt = house.clock.wallMs();
    const list = async function* () {
      for await (const stored of house.blobs.list()) yield { ...stored, changedAt };
    };
    const blobs = { ...house.blobs, notes: house.blobs.notes, list };
    const { found, end } = await scrubbed({ ...house.deps, blobs }, { repair: true });
    expect(found).toEqual([]);
    expect(end).toMatchObject({ young: 1 });
  });

  it.each(['missing', 'size', 'rot'] as const)(
    'makes a blob whose bytes are %s unknown, and whole again once it is pushed again',
    async (problem) => {
      const house = await openHouse(world);
      const { layer, image } = await shop(house);
      if (problem === 'missing') await house.blobs.delete([await keyOf(house.database, layer.digest)]);
      if (problem === 'size') await overwrite(house.deps, layer.digest, Buffer.from('short'));
      if (problem === 'rot') await overwrite(house.deps, layer.digest, Buffer.alloc(layer.size, 7));
      const finding = { problem, digest: layer.digest };
      const verify = problem === 'rot';
      expect((await scrubbed(house.deps, { verify })).found).toEqual([{ ...finding, outcome: 'reported' }]);
      const repaired = await scrubbed(house.deps, { verify, repair: true });
      expect(repaired.found).toEqual([{ ...finding, outcome: 'lost' }]);
      await expect(house.pullBlob('acme/shop', layer.digest)).rejects.toMatchObject({ code: 'blobUnknown' });
      await house.collect();
      await house.push('acme/shop:1', image);
      expect(await house.pullBlob('acme/shop', layer.digest)).toEqual(Buffer.from(layer.bytes));
      expect((await scrubbed(house.deps, { verify: true })).found).toEqual([]);
    },
  );

  it('does not see rot unless it is asked to read', async () => {
    const house = await openHouse(world);
    const { layer } = await shop(house);
    await overwrite(house.deps, layer.digest, Buffer.alloc(layer.size, 7));
    expect((await scrubbed(house.deps, { repair: true })).found).toEqual([]);
  });

  it('leaves a blob alone that was pushed again while it looked', async () => {
    const house = await openHouse(world);
    const { layer } = await shop(house);
    const gone = await keyOf(house.database, layer.digest);
    await house.blobs.delete([gone]);
    const read: typeof house.blobs.read = async (key, range, signal) => {
      if (key === gone)
        await house.database.transact(async ({ db }) => {
          const row = db.updateTable('blobs').where('digest', '=', layer.digest);
          await row.set({ storage_key: randomKey() }).execute();
        });
      return house.blobs.read(key, range, signal);
    };
    const blobs = { ...house.blobs, notes: house.blobs.notes, read, list: () => house.blobs.list() };
    expect((await scrubbed({ ...house.deps, blobs }, { repair: true })).found).toEqual([]);
  });

  it('turns the collector on again after a restore, and says so in the log', async () => {
    const house = await openHouse(world);
    await house.database.transact((tx) => collectorTurnOff(tx, 'restored'));
    expect(await house.collect()).toMatchObject({ paused: 'restored' });
    expect((await scrubbed(house.deps)).end).toMatchObject({ collectorTurnedOn: true });
    expect(await collectorOff(house.database.read)).toBeUndefined();
    const events = await logRead(house.database.read, { after: 0, limit: 100 });
    expect(events.at(-1)).toMatchObject({ type: 'scrub.ended', actor: 'admin' });
  });

  it('leaves the collector off when it was cut off', async () => {
    const house = await openHouse(world);
    await shop(house);
    await house.database.transact((tx) => collectorTurnOff(tx, 'restored'));
    const cut = new AbortController();
    const ask = { repair: false, verify: false, actor: 'admin' };
    for await (const line of scrub(house.deps, ask, cut.signal)) if (line.kind === 'progress') cut.abort();
    expect(await collectorOff(house.database.read)).toBe('restored');
  });
});

describeEngines('a scrub of one of two regions', (world) => {
  async function twoRegions() {
    const home = await openRegion(world, { name: 'home', peers: ['west'] });
    const west = await openRegion(world, { name: 'west', peers: ['home'] });
    const follower = new TestFollower(west, home, ['**']);
    const image = await pushImage(home, { text: 'a layer' });
    await follower.catchUp();
    await follower.copy();
    return { home, west, follower, image, back: new TestFollower(home, west) };
  }

  it.each(['home', 'west'] as const)('heals a blob of %s from the other region', async (damaged) => {
    const { home, west, follower, image, back } = await twoRegions();
    const [region, copier] = damaged === 'home' ? [home, back] : [west, follower];
    await overwrite(region, image.layer, Buffer.from('A layer'));
    const { found, end } = await scrubbed(region, { repair: true, verify: true });
    expect(found).toEqual([{ problem: 'rot', outcome: 'copying', digest: image.layer }]);
    expect(end).toMatchObject({ findings: 1, repaired: 1 });
    expect(await stateOfBlob(region, image.layer)).toBe('remote');
    await copier.copy();
    expect(await stateOfBlob(region, image.layer)).toBe('live');
    const { stream } = await region.blobs.read(await keyOf(region.database, image.layer));
    expect(digestOf(Buffer.concat(await Array.fromAsync(stream)))).toBe(image.layer);
    expect((await scrubbed(region, { repair: true, verify: true })).found).toEqual([]);
  });

  it('gives a blob up when the other region does not have it either', async () => {
    const { home, west, image, back } = await twoRegions();
    for (const region of [home, west]) await overwrite(region, image.layer, Buffer.from('A layer'));
    await scrubbed(west, { repair: true, verify: true });
    await scrubbed(home, { repair: true, verify: true });
    for (let attempt = 0; attempt < 10; attempt++) {
      await back.copy();
      home.clock.advance(3_600_000);
    }
    expect(await stateOfBlob(home, image.layer)).toBe('remote');
    const lost = { problem: 'remote', outcome: 'lost', digest: image.layer };
    expect((await scrubbed(home, { repair: true })).found).toEqual([lost]);
    expect(await stateOfBlob(home, image.layer)).toBe('condemned');
  });
});
