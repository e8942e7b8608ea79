import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { quarantineRelease } from '../quarantine/release.ts';

const hour = 3_600_000;

describeEngines('what only a quarantine holds', (world) => {
  it('goes a grace after the release, long before the retention would have ended', async () => {
    const house = await openHouse(world);
    const stray = await buildLayer([{ path: 'x', content: 'x' }]);
    await house.pushBlob('acme/shop', stray);
    const { name } = await house.quarantine({ targets: { layers: [stray.digest] } });
    house.clock.advance(26 * hour);
    expect(await house.collect()).toMatchObject({ condemned: 0 });
    await quarantineRelease(house.deps, { quarantine: name, reason: 'over', author: 'sec' });
    house.clock.advance(25 * hour);
    expect(await house.collect()).toMatchObject({ condemned: 1, collected: 1 });
  });
});
