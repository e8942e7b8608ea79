import { expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { limits } from '../../../lib/limits.ts';
import { readLayer } from '../../read-layer.ts';
import { composer } from './composer.ts';

const path = 'app/vendor/composer/installed.json';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [composer], clock: new ManualClock() });
}

test.each([
  [path, true],
  ['vendor/composer/installed.json', true],
  ['app/lib/composer/installed.json', true],
  ['app/vendor/composer/installed.php', false],
  ['app/vendor/composer/composer/res/installed.json', false],
])('%s is wanted: %s', (name, expected) => {
  expect(composer.wants({ path: name, kind: 'file', sizeBytes: 1, mode: 0o644 })).toBe(expected);
});

const monolog = {
  name: 'Monolog/Monolog',
  version: '2.1.0',
  version_normalized: '2.1.0.0',
  license: ['MIT'],
};
const legacy = { name: 'a/b', version: 'dev-main', license: ['LGPL-2.1-only', 'GPL-3.0-or-later'] };

test.each([
  ['Composer 2', { packages: [monolog, legacy], dev: true, 'dev-package-names': [] }],
  ['Composer 1', [monolog, legacy]],
])('the list of %s names packages, versions and licences', async (_, list) => {
  const at = { ecosystem: 'Packagist', path, extractor: 'composer' };
  expect((await inspect([{ name: path, text: JSON.stringify(list) }])).packages).toEqual([
    {
      ...at,
      purl: 'pkg:composer/monolog/monolog@2.1.0',
      name: 'monolog/monolog',
      version: '2.1.0',
      license: 'MIT',
    },
    {
      ...at,
      purl: 'pkg:composer/a/b@dev-main',
      name: 'a/b',
      version: 'dev-main',
      license: 'LGPL-2.1-only OR GPL-3.0-or-later',
    },
  ]);
});

test.each([
  ['{"packages":', 'it is no JSON', []],
  ['{"packages":{}}', 'it has no list of packages', []],
  ['null', 'it has no list of packages', []],
  ['[{"name":"a/b"},{"name":"c/d","version":"1"}]', '1 packages have no name or no version', ['c/d']],
  [
    `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
    `JSON that is more than ${limits.extractJsonDepthMax} deep`,
    [],
  ],
  [
    ' '.repeat(limits.extractJsonBytesMax + 1),
    `${limits.extractJsonBytesMax + 1} bytes of JSON; at most ${limits.extractJsonBytesMax} are read`,
    [],
  ],
])('what can not be read is unknown and says why', async (text, reason, names) => {
  const found = await inspect([{ name: path, text }]);
  expect(found.extractions[0]).toMatchObject({ state: 'unknown', reason: `${path}: ${reason}` });
  expect(found.packages.map(({ name }) => name)).toEqual(names);
});

test('brackets in texts make no depth', async () => {
  const text = JSON.stringify([{ ...monolog, description: `\\"${'[{"'.repeat(1_000)}` }]);
  expect((await inspect([{ name: path, text }])).extractions[0]?.state).toBe('done');
});
