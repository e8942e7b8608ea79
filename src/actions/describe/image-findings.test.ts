import { beforeEach, expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { except, importAdvisories, npmAdvisory } from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import { advisoryGaps, findingCounts, findingsIn, type PlacedImage } from './image-findings.ts';

const none = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };
/** Its own is critical. */
const high = { severity: [], database_specific: { severity: 'HIGH' } };
const uncomparable = [
  {
    package: { ecosystem: 'npm', name: 'lodash' },
    ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: 'no version' }] }],
  },
];

describeEngines('what is found in an image', (world) => {
  let house: House;
  let image: PlacedImage;

  beforeEach(async () => {
    house = await openHouse(world);
    const built = buildImage({ layers: [await buildLayer([{ path: 'is', content: 'shop' }])] });
    await house.push('acme/shop:1', built);
    await house.inspected(built, [{ packages: [{ name: 'lodash', version: '4.17.20' }] }]);
    const row = await house.database.read
      .selectFrom('repository_manifests')
      .select(['manifest_id', 'repository_id'])
      .executeTakeFirstOrThrow();
    image = { manifestId: row.manifest_id, repositoryId: row.repository_id };
  });

  const counts = async () => {
    const { counted, excepted } = await findingsIn(house.database, image);
    return { ...findingCounts(counted), excepted };
  };

  it('counts a flaw once, with its worst severity, whatever sources tell of it', async () => {
    const aliases = ['CVE-2026-0001'];
    await importAdvisories(
      house,
      npmAdvisory('GHSA-1', 'lodash', { aliases, ...high }),
      npmAdvisory('TEST-1', 'lodash', { aliases }),
      npmAdvisory('TEST-2', 'lodash', { aliases, affected: uncomparable }),
      npmAdvisory('GHSA-2', 'lodash', high),
    );
    const findings = { ...none, critical: 1, high: 1 };
    expect(await counts()).toEqual({ findings, fixable: 2, undecided: 0, excepted: 0 });
  });

  it('counts beside that what may apply', async () => {
    await importAdvisories(house, npmAdvisory('GHSA-1', 'lodash', { affected: uncomparable }));
    expect(await counts()).toEqual({ findings: none, fixable: 0, undecided: 1, excepted: 0 });
  });

  it('does not count what exceptions except where the image is', async () => {
    await importAdvisories(house, npmAdvisory('GHSA-1', 'lodash'), npmAdvisory('GHSA-2', 'lodash', high));
    await except(house, 'GHSA-1', { account: 'acme', repositoryGlob: 'acme/*' });
    await except(house, 'GHSA-2', { account: 'globex', repositoryGlob: 'globex/*' });
    const findings = { ...none, high: 1 };
    expect(await counts()).toEqual({ findings, fixable: 1, undecided: 0, excepted: 1 });
    const { counted } = await findingsIn(house.database, image);
    expect(counted.map(({ advisory }) => advisory)).toEqual(['GHSA-2']);
  });

  it('is not all where a source gave what can’t be read and names no package', async () => {
    await importAdvisories(house, npmAdvisory('GHSA-1', 'lodash'));
    expect(await advisoryGaps(house.database, image.manifestId)).toEqual([]);
    await importAdvisories(house, npmAdvisory('GHSA-2', 'lodash', { affected: 'all' }));
    expect(await advisoryGaps(house.database, image.manifestId)).toEqual([
      'what test gave can’t be read in part, and names no package',
    ]);
  });
});
