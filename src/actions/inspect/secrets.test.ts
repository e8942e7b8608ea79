import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { layerInventory } from '../../../test/support/layer-inventory.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { Criteria, SecretCriteria } from '../../criteria/criteria.ts';
import { fingerprintKeyNewest } from '../../records/inventory/fingerprint-keys.ts';
import { imageInventory } from '../../records/inventory/image-read.ts';
import type { InventoryAsk } from '../../records/inventory/list.ts';
import { secretList } from '../../records/inventory/secret-list.ts';
import { fingerprintOf } from '../../secrets/fingerprint.ts';
import { secretsVersion } from '../../secrets/kinds.ts';
import { imageMeets } from '../scan/image-meets.ts';

/** Put together here, so that this file has no secret in it. */
const value = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_');
const password = 'Kx9-tulip-42-vane';

describeEngines('the secrets of a layer', (engines) => {
  test('are kept as kind, place and keyed fingerprint; their values are in no row and no event', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([
      { path: 'app/deploy.sh', content: `#!/bin/sh\nexport T=${value}\n` },
      { path: 'app/.wh.old', content: '' },
    ]);
    await world.push({ layers: [layer] });
    await world.drain();
    const { database } = world;
    const rows = await database.read
      .selectFrom('layer_secrets')
      .innerJoin('paths', 'paths.id', 'layer_secrets.path_id')
      .selectAll()
      .execute();
    expect(rows).toMatchObject([{ kind: 'github-token', path: 'app/deploy.sh', line: 2, key_version: 1 }]);
    const key = await fingerprintKeyNewest(database.read);
    if (!key) throw new Error('the key was made with the first inspection');
    expect(Buffer.from(rows[0]?.fingerprint ?? [])).toEqual(Buffer.from(fingerprintOf(key, value)));
    const inventory = await layerInventory(database.read, layer.digest);
    expect(inventory?.extractions).toContainEqual({
      extractor: 'secrets',
      version: secretsVersion,
      state: 'done',
    });
    const tables = [
      'layer_secrets',
      'image_secrets',
      'paths',
      'inspections',
      'extractions',
      'images',
      'log',
      'jobs',
    ] as const;
    for (const table of tables) {
      const text = JSON.stringify(await database.read.selectFrom(table).selectAll().execute());
      expect(text).not.toContain(value);
      expect(text).not.toContain(Buffer.from(value).toString('base64').slice(0, 20));
    }
  });

  test('of the config are found in its environment, history and labels, and masked where it is shown', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([{ path: 'a', content: 'a' }]);
    const config = {
      Env: [`GIT_AUTH=${value}`, `DB_PASSWORD=${password}`, 'PATH=/usr/bin'],
      Labels: { note: `use ${value}`, title: 'shop' },
      Cmd: ['serve', `--token=${value}`],
    };
    const history = [
      { created_by: `|1 DB_PASSWORD=${password} /bin/sh -c make` },
      { created_by: `ENV PATH=/usr/bin` },
      { created_by: 'RUN make install' },
    ];
    const rootfs = { type: 'layers', diff_ids: [layer.diffId] };
    const document = { architecture: 'amd64', os: 'linux', config, history, rootfs };
    const configBytes = Buffer.from(JSON.stringify(document));
    const manifestId = await world.push({ layers: [layer], configBytes });
    await world.drain();
    const { database } = world;
    const { items } = await secretList(database, { manifestId, place: 'layer', limit: 100 });
    expect(items.map(({ kind, path, layer: of }) => [kind, path, of])).toEqual([
      ['github-token', 'config:Cmd/2', null],
      ['env-credential', 'config:Env/DB_PASSWORD', null],
      ['github-token', 'config:Env/GIT_AUTH', null],
      ['github-token', 'config:Labels/note', null],
      ['env-credential', 'config:history/1', null],
    ]);
    const image = await imageInventory(database.read, manifestId);
    expect(image?.config).toMatchObject({
      env: ['GIT_AUTH', 'DB_PASSWORD', 'PATH'],
      cmd: ['serve', '--token=***'],
      labels: { note: 'use ***', title: 'shop' },
      history: ['|1 DB_PASSWORD=*** /bin/sh -c make', 'ENV PATH=***', 'RUN make install'],
    });
    expect(JSON.stringify(image)).not.toContain(password);
    const token: Criteria = { secret: { kind: 'github-token', path: 'config:Env/*' } };
    expect(await imageMeets(database, manifestId, token)).toMatchObject({
      verdict: 'match',
      evidence: [{ layer: null, path: 'config:Env/GIT_AUTH', secret: 'github-token' }],
    });
    expect(await imageMeets(database, manifestId, { secret: { kind: 'jwt' } })).toMatchObject({
      verdict: 'noMatch',
    });
  });

  test('are listed in pages, and those that a later layer hides are in the layer only', async () => {
    await using world = await inventoryWorld(engines);
    const base = await buildLayer([
      { path: 'app/key', content: value },
      { path: 'app/other', content: value },
    ]);
    const upper = await buildLayer([{ path: 'app/.wh.key', content: '' }]);
    const manifestId = await world.push({ layers: [base, upper] });
    await world.drain();
    const list = (ask: Partial<InventoryAsk> & { kind?: string }) =>
      secretList(world.database, { manifestId, place: 'layer', limit: 100, ...ask });
    const first = await list({ limit: 1 });
    const second = await list({ limit: 1, after: first.next ?? '' });
    expect([...first.items, ...second.items].map(({ path, shown }) => [path, shown])).toEqual([
      ['app/key', false],
      ['app/other', true],
    ]);
    expect(second.next).toBeNull();
    expect((await list({ place: 'image' })).items.map(({ path }) => path)).toEqual(['app/other']);
    expect((await list({ kind: 'aws-*' })).items).toEqual([]);
    const key: SecretCriteria = { secret: { kind: 'git*', path: 'app/key' } };
    expect((await imageMeets(world.database, manifestId, key)).verdict).toBe('match');
    const shown: Criteria = { secret: { ...key.secret, in: 'image' } };
    expect((await imageMeets(world.database, manifestId, shown)).verdict).toBe('noMatch');
  });

  test('make a layer unknown to questions about secrets when it was read before they were looked for', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([{ path: 'a', content: 'a' }]);
    const manifestId = await world.push({ layers: [layer] });
    await world.drain();
    await world.database.transact(async (tx) => {
      await tx.db.updateTable('inspections').set({ secrets_read: 0 }).execute();
    });
    const any: Criteria = { secret: { kind: '*' } };
    expect((await imageMeets(world.database, manifestId, any)).verdict).toBe('unknown');
  });
});
