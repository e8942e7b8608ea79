import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { openRegion, pushImage, stateOfBlob, TestFollower } from '../../../test/support/regions.ts';
import { jobClaimKey } from '../../records/jobs/jobs.ts';
import { copyJob } from '../../records/regions/copies.ts';
import { copyBlob } from './copy.ts';

describeEngines('copies', (world) => {
  it('are not given up when somebody needs the bytes again while they are', async () => {
    const home = await openRegion(world, { name: 'home', peers: ['away'] });
    const away = await openRegion(world, { name: 'away', peers: ['home'] });
    const follower = new TestFollower(away, home, ['**']);
    const { layer } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    const job = await jobClaimKey(away.database, { kind: copyJob, key: layer }, 'a worker');
    if (!job) throw new Error('it claims it');
    const setState = (state: 'condemned' | 'remote') =>
      away.database.transact(({ db }) =>
        db.updateTable('blobs').set({ state }).where('digest', '=', layer).execute(),
      );
    await setState('condemned');
    const transact: typeof away.database.transact = async (work, options) => {
      await setState('remote');
      return away.database.transact(work, options);
    };
    const links = new Map([['home', follower.link]]);
    const deps = { ...away, database: { ...away.database, transact }, region: 'away', links };
    await copyBlob(deps, job, new AbortController().signal);
    await follower.copy();
    expect(await stateOfBlob(away, layer)).toBe('live');
  });
});
