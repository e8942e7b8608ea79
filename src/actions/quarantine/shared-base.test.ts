import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { digestOf } from '../../oci/digest.ts';
import { chunked } from '../../records/db/engine.ts';
import { quarantineApplyPlan } from './apply.ts';
import { quarantinePlan } from './plan.ts';
import { quarantineRelease } from './release.ts';

const images = 10_000;

describeEngines('a mark on a base under ten thousand images', (world) => {
  it('is one row and one event, refuses them all, and so does its release serve them', async () => {
    const house = await openHouse(world);
    const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
    await house.push('acme/shop:1', buildImage({ layers: [base] }));
    await imagesOn(house, base.digest);
    const count = (table: 'marks' | 'log' | 'quarantines') => rowsOf(house, table);
    const logged = await count('log');

    const ask = { question: { targets: { layers: [base.digest] } }, account: null, author: 'sec' };
    const plan = await quarantinePlan(house.deps, ask);
    expect(plan.radius.images).toHaveLength(images + 1);
    const { name } = await quarantineApplyPlan(house.deps, {
      plan: plan.name,
      reason: 'INC-42',
      author: 'sec',
    });
    expect([await count('marks'), await count('quarantines')]).toEqual([1, 1]);
    expect((await count('log')) - logged).toBe(1);

    const some = [0, images / 2, images - 1].map(digestAt);
    for (const digest of some)
      await expect(house.pull(`acme/shop@${digest}`)).rejects.toMatchObject({ code: 'quarantined' });
    await quarantineRelease(house.deps, { quarantine: name, reason: 'a drill', author: 'sec' });
    expect((await count('log')) - logged).toBe(2);
    for (const digest of some) expect((await house.pull(`acme/shop@${digest}`)).digest).toBe(digest);
  }, 120_000);
});

function digestAt(at: number) {
  return digestOf(`image ${at}`);
}

/** Straight into the rows that a push writes. */
async function imagesOn({ database }: House, layer: string): Promise<void> {
  const contents = Array.from({ length: images }, (_, at) => ({ ...manifest, digest: digestAt(at) }));
  const { id: repository_id } = await database.read
    .selectFrom('repositories')
    .select('id')
    .executeTakeFirstOrThrow();
  for (const part of chunked(contents))
    await database.transact(async ({ db, nowMs }) => {
      const rows = await db
        .insertInto('manifests')
        .values(part.map((content) => ({ ...content, created_at: nowMs })))
        .returning('id')
        .execute();
      const named = {
        kind: 'layer' as const,
        position: 0,
        digest: layer,
        media_type: 'layer',
        size_bytes: 1,
      };
      await db
        .insertInto('edges')
        .values(rows.map(({ id }) => ({ ...named, manifest_id: id, diff_id: null })))
        .execute();
      await db
        .insertInto('repository_manifests')
        .values(rows.map(({ id }) => ({ repository_id, manifest_id: id, pushed_at: nowMs, pushed_by: 'jo' })))
        .execute();
    });
}

const manifest = {
  digest_sha512: null,
  kind: 'image' as const,
  media_type: 'application/vnd.oci.image.manifest.v1+json',
  artifact_type: null,
  platform: 'linux/amd64',
  size_bytes: 2,
  body: Buffer.from('{}'),
  annotations: null,
};

async function rowsOf({ database }: House, table: 'marks' | 'log' | 'quarantines'): Promise<number> {
  const row = await database.read
    .selectFrom(table)
    .select((e) => e.fn.countAll().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(row.rows);
}
