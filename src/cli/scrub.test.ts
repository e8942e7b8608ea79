import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { buildLayer, type Layer } from '../../test/support/oci-layout.ts';
import { randomKey } from '../lib/random.ts';

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

  it('lets go of files that nothing names, once they are an hour old', async () => {
    const { admin, context, dataFolder } = world.server;
    await lazaret(admin, 'gc');
    const key = randomKey();
    await context.blobs.append(key, 0, Readable.from([Buffer.from('nobody’s')]));
    const young = await lazaret(admin, 'scrub', '--repair');
    expect(young).toMatchObject({ code: 0, text: expect.stringContaining('1 key too young to judge') });
    const hours = (context.clock.wallMs() - 2 * 3_600_000) / 1000;
    await utimes(join(dataFolder, 'blobs/uploads', key), hours, hours);
    const found = await lazaret(admin, 'scrub');
    expect(found).toMatchObject({ code: 2, text: expect.stringContaining(`key ${key}`) });
    const repaired = await lazaret(admin, 'scrub', '--repair');
    expect(repaired).toMatchObject({ code: 0, text: expect.stringContaining('orphan      condemned') });
    expect((await lazaret(admin, 'gc')).text).toContain('1 blob collected');
    expect(await readdir(join(dataFolder, 'blobs/uploads'))).toEqual([]);
  });

  it('is for operators', async () => {
    await expect(lazaret(world.acme, 'scrub')).rejects.toMatchObject({ code: 'denied' });
  });

  it('gc --confirm-clock says whether the clock was in doubt', async () => {
    const { text } = await lazaret(world.server.admin, 'gc', '--confirm-clock');
    expect(text).toBe('the clock was not in doubt');
  });
});
