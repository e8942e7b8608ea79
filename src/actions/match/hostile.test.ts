import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { limits } from '../../lib/limits.ts';

/** What is said of lodash 4.17.20, by verdict and fix. */
async function said(world: InventoryWorld, document: unknown): Promise<string[]> {
  const path = 'app/node_modules/x/package.json';
  const content = JSON.stringify({ name: 'lodash', version: '4.17.20' });
  await world.push({ layers: [await buildLayer([{ path, content }])] });
  await world.drain();
  await world.import(document);
  const rows = await world.database.read
    .selectFrom('findings')
    .select(['verdict', 'fixed_version'])
    .where('until', 'is', null)
    .execute();
  return rows.map((row) => `${row.verdict} ${row.fixed_version}`);
}

const about = (affected: object, more: object = {}) => ({
  id: 'A-1',
  modified: '2026-01-01T00:00:00Z',
  affected: [{ package: { ecosystem: 'npm', name: 'lodash' }, ...affected }],
  ...more,
});
const semver = (...events: readonly object[]) => ({ type: 'SEMVER', events });
const versions = (count: number) => Array.from({ length: count }, (_, at) => `4.17.${at}`);
const before = { ranges: [semver({ introduced: '0' }, { fixed: '4.17.21' })] };
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

describeEngines('a hostile advisory', (engines) => {
  test.each<[string, unknown, readonly string[]]>([
    [
      'with its events out of order is read in order',
      about({ ranges: [semver({ fixed: '4.17.21' }, { introduced: '5.0.0' }, { introduced: '0' })] }),
      ['affected 4.17.21'],
    ],
    [
      'whose range ends before it begins says nothing',
      about({ ranges: [semver({ introduced: '9' }, { fixed: '1' })] }),
      [],
    ],
    [
      'of 100,000 versions is looked through',
      about({ versions: versions(limits.advisoryVersionsMax) }),
      ['affected null'],
    ],
    ['of more is unknown', about({ versions: versions(limits.advisoryVersionsMax + 1) }), ['unknown null']],
    [
      'of 10,000 ranges is looked through',
      about({
        ranges: Array.from({ length: 10_000 }, (_, at) =>
          semver({ introduced: `${at}.0.0` }, { fixed: `${at}.99.0` }),
        ),
      }),
      ['affected 4.99.0'],
    ],
    [
      'of more is unknown',
      about({ ranges: Array.from({ length: 10_001 }, () => semver({ introduced: '0' })) }),
      ['unknown null'],
    ],
    [
      'that names itself holds once',
      about(before, { aliases: ['A-1', 'A-1'], related: ['A-1'] }),
      ['affected 4.17.21'],
    ],
    [
      'with other text in every field is text',
      about(before, { summary: "'; drop table findings; --\0", aliases: ["x' or 1=1", '\0'] }),
      ['affected 4.17.21'],
    ],
    [
      'of lists in lists is unknown',
      JSON.stringify(about(before, { database_specific: 'deep' })).replace('"deep"', deep),
      ['unknown null'],
    ],
    [
      'named like a part of every object is as any other',
      about(before, { ['__proto__']: { polluted: true }, constructor: 1 }),
      ['affected 4.17.21'],
    ],
  ])('%s', async (_, document, expected) => {
    await using world = await inventoryWorld(engines);
    expect(await said(world, document)).toEqual(expected);
  });
});
