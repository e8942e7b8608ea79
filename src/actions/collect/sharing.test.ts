import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { logRead } from '../../records/log/log.ts';
import { manifestDelete } from '../push/delete.ts';
import { collect } from './collect.ts';
import { collectPlan, explainBlob } from './explain.ts';

const day = 24 * 3_600_000;
const blobsMax = 30;

/** Uploads that no manifest came to need; their hold and their grace are over. */
async function strays(house: House, count = blobsMax) {
  const blobs = Array.from({ length: count }, (_, at) => {
    const bytes = Buffer.from(`stray ${at}`);
    return { bytes, digest: digestOf(bytes) };
  });
  for (const blob of blobs) await house.pushBlob('acme/shop', blob);
  house.clock.advance(2 * day);
  return blobs;
}

async function eventsOf(house: House, type: string) {
  const events = await logRead(house.database.read, { after: 0, limit: 10_000 });
  return events.filter((event) => event.type === type).map((event) => event.data);
}

describeEngines('collectors at work together', (world) => {
  it('take each blob once, and tell of each once', async () => {
    const house = await openHouse(world);
    const blobs = await strays(house);
    const freed = { blobs: 0, bytes: 0 };
    const metrics = {
      collected: (more: typeof freed) => {
        freed.blobs += more.blobs;
        freed.bytes += more.bytes;
      },
    };
    // Steps so small that they meet in the middle of the queue, and a breath between them.
    const pace = { turn: () => new Promise<number>((resolve) => setImmediate(() => resolve(0.01))) };
    const collector = async () => {
      let condemned = 0;
      for (let last = 1; last > 0; ) {
        const done = await collect({ ...house.deps, pace, metrics });
        condemned += done.condemned;
        last = done.condemned + done.collected;
      }
      return condemned;
    };
    const taken = await Promise.all([collector(), collector(), collector()]);
    await house.collect();
    expect(taken.reduce((sum, each) => sum + each)).toBe(blobs.length);
    expect(await house.storedKeys()).toBe(0);
    const sizeBytes = blobs.reduce((sum, blob) => sum + blob.bytes.length, 0);
    expect(freed).toEqual({ blobs: blobs.length, bytes: sizeBytes });
    for (const type of ['blobs.condemned', 'blobs.collected']) {
      const events = await eventsOf(house, type);
      const digests = events.flatMap((data) => data.digests);
      expect(digests.toSorted()).toEqual(blobs.map((blob) => blob.digest).sort());
      expect(events.reduce((sum, data) => sum + Number(data.sizeBytes), 0)).toBe(sizeBytes);
      expect(events.reduce((sum, data) => sum + Number(data.count), 0)).toBe(blobs.length);
    }
  });

  it('leave what a push has locked, without waiting for it', async () => {
    const house = await openHouse(world);
    await strays(house, 1);
    // With one writer, nobody can be in the middle of a push.
    if (house.database.engine === 'postgres')
      await house.database.transact(async (push) => {
        await push.db.selectFrom('blobs').select('id').forUpdate().execute();
        expect(await collect(house.deps)).toMatchObject({ condemned: 0 });
      });
    expect(await house.collect()).toMatchObject({ condemned: 1, collected: 1 });
  });
});

describeEngines('the explanation of a blob', (world) => {
  it('says when and why it went, once it is gone', async () => {
    const house = await openHouse(world);
    const [blob] = await strays(house, 1);
    if (!blob) throw new Error('one was made');
    const before = await explainBlob(house.deps, blob.digest);
    expect(before).toMatchObject({ verdict: { kind: 'free' }, history: [], review: { reason: 'uploaded' } });
    const at = house.clock.wallMs();
    await house.collect();
    expect(await explainBlob(house.deps, blob.digest)).toMatchObject({
      blob: null,
      verdict: { kind: 'gone' },
      history: [
        { what: 'collected', at, actor: 'collector', reason: null },
        { what: 'condemned', at, actor: 'collector', reason: 'uploaded' },
      ],
    });
  });
});

describeEngines('the plan of the collector', (world) => {
  it('lists what would go with its size, what stays and why, and what keeps it from its work', async () => {
    const house = await openHouse(world);
    const [stray] = await strays(house, 1);
    const empty = Buffer.from('{}');
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: 2 };
    await house.pushBlob('acme/shop', { bytes: empty, digest: config.digest });
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/x',
      config,
      layers: [config],
    });
    const bytes = Buffer.from(text);
    const manifest = { digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json' };
    await house.putManifest('acme/shop:1', { ...manifest, bytes, size: bytes.length });
    await manifestDelete(house.deps, {
      repository: parseRepositoryName('acme/shop'),
      digest: manifest.digest,
      principal: 'jo',
    });
    expect(await collectPlan(house.deps, 10)).toMatchObject({
      at: house.clock.wallMs(),
      paused: null,
      more: false,
      expired: [],
      condemned: { count: 0, sizeBytes: 0 },
      items: [
        { kind: 'manifest', digest: manifest.digest, verdict: 'free', keptBy: null, reason: 'deleted' },
        {
          kind: 'blob',
          digest: stray?.digest,
          verdict: 'free',
          keptBy: null,
          sizeBytes: stray?.bytes.length,
          reason: 'uploaded',
        },
        { kind: 'blob', digest: config.digest, verdict: 'needed', keptBy: 'a manifest', sizeBytes: 2 },
      ],
    });
    expect(await collectPlan(house.deps, 1)).toMatchObject({ more: true, items: [{ kind: 'manifest' }] });
    await collect(house.deps);
    house.clock.pauseMachine(3 * 3_600_000);
    expect(await collect(house.deps)).toMatchObject({ paused: expect.stringContaining('wall time gained') });
    expect(await collectPlan(house.deps, 10)).toMatchObject({
      paused: expect.stringContaining('wall time gained'),
    });
  });
});
