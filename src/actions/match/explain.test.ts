import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { explain } from './explain.ts';

const osv = (id: string, fixed: string, more: object = {}) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  aliases: ['CVE-2026-1000'],
  affected: [
    {
      package: { ecosystem: 'npm', name: 'lodash' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  ...more,
});

describeEngines('explain', (engines) => {
  test('says of each advisory that names a package why it holds or not, with the versions and the layer', async () => {
    await using world = await inventoryWorld(engines);
    const path = 'app/node_modules/lodash/package.json';
    const layer = await buildLayer([
      { path, content: JSON.stringify({ name: 'lodash', version: '4.17.20' }) },
    ]);
    const manifestId = await world.push({ layers: [layer] });
    await world.drain();
    await world.import([
      osv('A-1', '4.17.21'),
      osv('A-2', '4.17.20', { aliases: ['CVE-2026-1000', 'OLD-2'] }),
      osv('A-3', '4.17.21', { withdrawn: '2026-01-01T00:00:00Z' }),
      osv('A-4', 'not a version'),
    ]);
    const asked = async (ask: { advisory?: string; package?: string; all: boolean }) => {
      const found = [];
      for await (const one of explain(world.database, { manifestId, repositoryId: null, ...ask }))
        found.push(one);
      return found;
    };
    const all = await asked({ all: true });
    expect(all.map(({ advisory, verdict }) => `${advisory} ${verdict}`)).toEqual([
      'A-1 holds',
      'A-2 no',
      'A-3 withdrawn',
      'A-4 unknown',
    ]);
    expect(all[0]).toMatchObject({
      purl: 'pkg:npm/lodash@4.17.20',
      layer: layer.digest,
      path,
      flaw: 'CVE-2026-1000',
      fixedVersion: '4.17.21',
      compared: { name: 'lodash', version: '4.17.20', affected: 'introduced 0, fixed 4.17.21' },
      history: [{ until: null }],
    });
    expect(all[3]?.reason).toContain('not of npm versions');
    expect((await asked({ all: false })).map(({ advisory }) => advisory)).toEqual(['A-1', 'A-4']);
    for (const advisory of ['A-2', 'CVE-2026-1000', 'OLD-2'])
      expect(await asked({ all: true, advisory })).toHaveLength(advisory === 'OLD-2' ? 1 : 4);
    expect(await asked({ all: true, advisory: 'CVE-2026-2000' })).toEqual([]);
    expect(await asked({ all: true, package: 'left-pad' })).toEqual([]);
  });
});
