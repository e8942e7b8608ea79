import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { buildLayer, type Layer } from '../../test/support/oci-layout.ts';

let world: DistributionWorld;
let layer: Layer;

beforeAll(async () => {
  world = await openDistributionWorld();
  layer = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  await pushLayers(world.acme, 'acme/shop:1', [layer]);
  await world.server.drain();
});
afterAll(() => world.server.close());

describe('lazaret scrub', () => {
  it('says what it compared, then what is wrong, then that it is mended, each with its exit code', async () => {
    const { admin, context } = world.server;
    const well = await lazaret(admin, 'scrub', '--verify');
    expect(well.code).toBe(0);
    expect(well.text).toMatch(/^2 keys and 2 blobs compared · .* read · 0 findings, 0 repaired$/);

    const row = await context.database.read
      .selectFrom('blobs')
      .select('storage_key')
      .where('digest', '=', layer.digest)
      .executeTakeFirstOrThrow();
    await context.blobs.delete([row.storage_key ?? '']);
    const found = await lazaret(admin, 'scrub');
    expect(found.code).toBe(2);
    expect(found.text).toContain(`missing     reported`);
    expect(found.text).toContain(layer.digest);

    expect((await lazaret(admin, 'scrub', '--repair')).text).toContain('missing     lost');
    expect((await http(world.acme, `HEAD /v2/acme/shop/blobs/${layer.digest}`)).status).toBe(404);
    await pushLayers(world.acme, 'acme/shop:1', [layer]);
    expect((await http(world.acme, `HEAD /v2/acme/shop/blobs/${layer.digest}`)).status).toBe(200);
    expect((await lazaret(admin, 'scrub')).code).toBe(0);
  });

  it('is for operators', async () => {
    await expect(lazaret(world.acme, 'scrub')).rejects.toMatchObject({ code: 'denied' });
  });

  it('gc --confirm-clock says whether the clock was in doubt', async () => {
    const { text } = await lazaret(world.server.admin, 'gc', '--confirm-clock');
    expect(text).toBe('the clock was not in doubt');
  });
});
