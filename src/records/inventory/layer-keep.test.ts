import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import type { Database } from '../db/database.ts';
import { KnownIds } from './known-ids.ts';
import { layerInventoryKeep } from './layer-keep.ts';
import type { KeptPart } from './rows.ts';

const pathIds = new KnownIds(10);
const clock = new ManualClock();

describeEngines('a layer that is read again', (world) => {
  it('shows what was found before until all is found anew, then no more than that', async () => {
    const database = await world.open();
    const blobId = await blob(database);
    await layerInventoryKeep({ database, clock, pathIds }, blobId, read(['a', 'b']));
    const again = read(['b', 'c'], async () => {
      expect(await packages(database)).toEqual(['a', 'b']);
    });
    await layerInventoryKeep({ database, clock, pathIds }, blobId, again);
    expect(await packages(database)).toEqual(['b', 'c']);
  });
});

async function* read(names: readonly string[], meanwhile = async () => {}): AsyncGenerator<KeptPart> {
  await meanwhile();
  const common = { ecosystem: 'npm', version: '1', path: 'p', extractor: 'npm' };
  yield { kind: 'packages', packages: names.map((name) => ({ ...common, name, purl: `pkg:npm/${name}@1` })) };
  yield { kind: 'summary', summary: { state: 'done', uncompressedBytes: 0, entries: 0, extractions: [] } };
}

function blob(database: Database): Promise<number> {
  const row = { digest: 'sha256:a', size_bytes: 1, storage_key: null, state: 'live' as const, stored_at: 0 };
  return database.transact(async ({ db }) => {
    return (await db.insertInto('blobs').values(row).returning('id').executeTakeFirstOrThrow()).id;
  });
}

async function packages({ read: db }: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('layer_packages')
    .innerJoin('packages', 'packages.id', 'layer_packages.package_id')
    .select('packages.name')
    .orderBy('packages.name')
    .execute();
  return rows.map(({ name }) => name);
}
