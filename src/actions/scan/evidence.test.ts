import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { except, importAdvisories, npmAdvisory } from '../../../test/support/excepting.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { scan } from './scan.ts';

const rated = (severity: string) => ({ severity: [], database_specific: { severity } });

describeEngines('the evidence of an image', (world) => {
  it('begins with the worst, and has a flaw of a package once', async () => {
    const house = await openHouse(world);
    const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: 'shop' }])] });
    await house.push('acme/shop:1', image);
    await house.inspected(image, [
      {
        packages: [
          { name: 'express', version: '1.0.0' },
          { name: 'lodash', version: '4.17.20' },
        ],
      },
    ]);
    const aliases = ['CVE-2026-0001'];
    await importAdvisories(
      house,
      npmAdvisory('GHSA-1', 'lodash', { aliases, ...rated('LOW') }),
      npmAdvisory('TEST-1', 'lodash', { aliases, ...rated('CRITICAL') }),
      npmAdvisory('GHSA-2', 'lodash', rated('MEDIUM')),
      npmAdvisory('GHSA-3', 'express', rated('HIGH')),
      npmAdvisory('GHSA-4', 'express', { severity: [] }),
    );
    const evidence = async () => {
      const answer = await scan(house.deps, { criteria: { advisory: {} }, scope: {}, requestedBy: 'jo' });
      return answer.images.flatMap((one) => one.evidence.map(({ advisory }) => advisory));
    };
    expect(await evidence()).toEqual(['TEST-1', 'GHSA-3', 'GHSA-2', 'GHSA-4']);
    await except(house, 'GHSA-3', { account: 'globex', repositoryGlob: 'globex/*' });
    expect(await evidence()).toEqual(['TEST-1', 'GHSA-3', 'GHSA-2', 'GHSA-4']);
  });
});
