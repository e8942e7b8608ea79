import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { importAdvisories, npmAdvisory } from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { scanGet } from '../../records/scans/scans.ts';
import { scanDiff } from './compare.ts';
import { scan } from './scan.ts';

const day = 86_400_000;
const aliases = ['CVE-2026-0001'];

/** A day later. */
async function answered({ deps, database, clock }: House) {
  clock.advance(day);
  const { name } = await scan(deps, { criteria: { advisory: {} }, scope: {}, requestedBy: 'jo' });
  clock.advance(day);
  const stored = await scanGet(database.read, name);
  if (stored === undefined) throw new Error(`${name} was not kept`);
  return stored;
}

describeEngines('what is new since an earlier answer', (world) => {
  it('are images that match now, and new findings in those that did before', async () => {
    const house = await openHouse(world);
    for (const [reference, name] of [
      ['acme/shop:1', 'lodash'],
      ['acme/portal:1', 'express'],
    ] as const) {
      const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: reference }])] });
      await house.push(reference, image);
      await house.inspected(image, [{ packages: [{ name, version: '1.0.0' }] }]);
    }
    await importAdvisories(house, npmAdvisory('GHSA-1', 'lodash', { aliases }));
    const first = await answered(house);
    // Another source's word for what is known already is nothing new.
    await importAdvisories(
      house,
      npmAdvisory('TEST-1', 'lodash', { aliases }),
      npmAdvisory('GHSA-2', 'lodash'),
    );
    const second = await answered(house);
    await importAdvisories(house, npmAdvisory('GHSA-3', 'express'), npmAdvisory('GHSA-4', 'lodash'));
    const third = await answered(house);
    const told = async (before: typeof first, after: typeof first) => {
      const { appeared, renewed, stayed } = await scanDiff(house.database, before, after);
      return {
        appeared: appeared.map(({ image }) => image?.repository),
        renewed: renewed.map(({ image, evidence }) => [
          image.repository,
          ...evidence.map((one) => one.advisory),
        ]),
        stayed,
      };
    };
    expect(await told(first, second)).toEqual({
      appeared: [],
      renewed: [['acme/shop', 'GHSA-2']],
      stayed: 1,
    });
    expect(await told(second, third)).toEqual({
      appeared: ['acme/portal'],
      renewed: [['acme/shop', 'GHSA-4']],
      stayed: 1,
    });
    expect(await told(third, third)).toEqual({ appeared: [], renewed: [], stayed: 2 });
  });
});
