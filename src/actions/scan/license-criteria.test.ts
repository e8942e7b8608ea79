import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { imageMeets } from './image-meets.ts';

const npmPackage = (name: string, license?: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version: '1.0.0', license }),
});

describeEngines('criteria over licences', (engines) => {
  test('match, do not match, and are unknown where nobody understood what a package says', async () => {
    await using world = await inventoryWorld(engines);
    const imageOf = async (...files: Parameters<typeof buildLayer>[0]) =>
      world.push({ layers: [await buildLayer(files)] });
    const images = [
      await imageOf(npmPackage('free', 'MIT')),
      await imageOf(npmPackage('free', 'MIT'), npmPackage('copyleft', 'GPLv3 or MIT')),
      await imageOf(npmPackage('free', 'MIT'), npmPackage('vague', 'BSD')),
      await imageOf(npmPackage('partly', 'GPL-3.0-only and BSD')),
      await imageOf(npmPackage('silent')),
    ];
    await world.drain();
    const verdicts = (license: unknown) =>
      Promise.all(
        images.map(async (id) => (await imageMeets(world.database, id, parseCriteria({ license }))).verdict),
      );
    expect(await verdicts('GPL-3.0-only')).toEqual(['noMatch', 'match', 'unknown', 'match', 'unknown']);
    expect(await verdicts('ISC')).toEqual(['noMatch', 'noMatch', 'unknown', 'unknown', 'unknown']);
    expect(await verdicts({ anyOf: ['ISC', 'mit'], in: 'layer' })).toEqual([
      'match',
      'match',
      'match',
      'unknown',
      'unknown',
    ]);
    expect(await verdicts({ notSatisfiedBy: ['MIT'] })).toEqual([
      'noMatch',
      'noMatch',
      'unknown',
      'match',
      'unknown',
    ]);
    expect(await verdicts({ notSatisfiedBy: ['GPL-3.0-or-later'], in: 'layer' })).toEqual([
      'match',
      'match',
      'match',
      'unknown',
      'unknown',
    ]);
    const { evidence } = await imageMeets(
      world.database,
      images[1] ?? 0,
      parseCriteria({ license: 'GPLv3' }),
    );
    expect(evidence).toMatchObject([{ purl: 'pkg:npm/copyleft@1.0.0' }]);
  });
});
