import { expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { nuget } from './nuget.ts';

const path = 'app/shop.deps.json';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [nuget], clock: new ManualClock() });
}

/** As `dotnet publish` writes it. */
const shop = {
  runtimeTarget: { name: '.NETCoreApp,Version=v6.0/linux-x64', signature: '' },
  targets: {
    '.NETCoreApp,Version=v6.0/linux-x64': {
      'shop/1.0.0': { dependencies: { 'Newtonsoft.Json': '12.0.1' }, runtime: { 'shop.dll': {} } },
    },
  },
  libraries: {
    'shop/1.0.0': { type: 'project', serviceable: false, sha512: '' },
    'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1': { type: 'runtimepack', sha512: '' },
    'Newtonsoft.Json/12.0.1': { type: 'package', serviceable: true, path: 'newtonsoft.json/12.0.1' },
    'Local.Reference/1.0.0.0': { type: 'reference', sha512: '' },
  },
};

test('an application has the packages and the runtime it was built with', async () => {
  const found = await inspect([{ name: path, text: `\uFEFF${JSON.stringify(shop)}` }]);
  const at = { ecosystem: 'NuGet', path, extractor: 'nuget' };
  expect(found.packages).toEqual([
    {
      ...at,
      purl: 'pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@6.0.1',
      name: 'Microsoft.NETCore.App.Runtime.linux-x64',
      version: '6.0.1',
    },
    { ...at, purl: 'pkg:nuget/Newtonsoft.Json@12.0.1', name: 'Newtonsoft.Json', version: '12.0.1' },
  ]);
  expect(found.extractions[0]?.state).toBe('done');
});

test.each(['{"libraries":["a"]}', '["react","wp-blocks"]', 'null'])(
  'a file that is no application has nothing: %s',
  async (text) => {
    const found = await inspect([{ name: path, text }]);
    expect(found.packages).toEqual([]);
    expect(found.extractions[0]?.state).toBe('done');
  },
);

test.each([
  ['{"libraries":', 'it is no JSON', []],
  [
    '{"libraries":{"nameless":{"type":"package"},"/1":{"type":"package"},"a/1":{"type":"package"}}}',
    "'nameless' is no name with a version",
    ['a'],
  ],
])('what can not be read is unknown and says why: %s', async (text, reason, names) => {
  const found = await inspect([{ name: path, text }]);
  expect(found.extractions[0]).toMatchObject({ state: 'unknown', reason: `${path}: ${reason}` });
  expect(found.packages.map(({ name }) => name)).toEqual(names);
});
