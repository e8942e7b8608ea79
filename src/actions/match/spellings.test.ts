import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer, type LayerEntry } from '../../../test/support/oci-layout.ts';

const nuget: LayerEntry = {
  path: 'app/shop.deps.json',
  content: JSON.stringify({
    runtimeTarget: { name: '.NETCoreApp,Version=v8.0' },
    targets: { '.NETCoreApp,Version=v8.0': { 'Newtonsoft.Json/12.0.1': { runtime: {} } } },
    libraries: { 'Newtonsoft.Json/12.0.1': { type: 'package', serviceable: true, sha512: '' } },
  }),
};
const python: LayerEntry = {
  path: 'usr/lib/python3/dist-packages/Zope_Interface-1.0.dist-info/METADATA',
  content: 'Metadata-Version: 2.1\nName: Zope_Interface\nVersion: 1.0\n',
};
const osv = (ecosystem: string, name: string) => ({
  id: 'GHSA-1',
  modified: '2026-01-01T00:00:00Z',
  affected: [
    {
      package: { ecosystem, name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '99.0' }] }],
    },
  ],
});

describeEngines('an advisory finds a package', (engines) => {
  test.each([
    ['NuGet', 'Newtonsoft.Json', nuget],
    ['NuGet', 'newtonsoft.json', nuget],
    ['PyPI', 'zope.interface', python],
    ['PyPI', 'Zope-Interface', python],
  ])('of %s that it calls %s, whichever comes first', async (ecosystem, name, entry) => {
    await using world = await inventoryWorld(engines);
    const found = async () => {
      const rows = await world.database.read.selectFrom('findings').select(['verdict', 'until']).execute();
      return rows.filter(({ until }) => until === null).map(({ verdict }) => verdict);
    };
    await world.push({ layers: [await buildLayer([entry])] });
    await world.drain();
    await world.import(osv(ecosystem, name));
    expect(await found()).toEqual(['affected']);
    await using other = await inventoryWorld(engines);
    await other.import(osv(ecosystem, name));
    await other.push({ layers: [await buildLayer([entry])] });
    await other.drain();
    const rows = await other.database.read.selectFrom('findings').select('verdict').execute();
    expect(rows.map(({ verdict }) => verdict)).toEqual(['affected']);
  });
});
