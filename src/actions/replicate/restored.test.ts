import { expect, it } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { openRegion, pushImage, TestFollower, type TestRegion } from '../../../test/support/regions.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import { collect } from '../collect/collect.ts';
import { manifestDelete } from '../push/delete.ts';
import { trashRestore } from '../retain/restore.ts';

const day = 86_400_000;
const tagged = { repository: 'acme/shop', reference: { tag: '1' } };

describeEngines('a follower, of what was brought back from the trash at home,', (world) => {
  it('has it again, with its tags', async () => {
    const { home, away, follower } = await deleted(world);
    await trashRestore(home, { ...tagged, actor: 'jo' });
    await follower.catchUp();
    expect(await found(away)).toMatchObject({ deletedAt: null });
    expect(follower.problems).toEqual([]);
  });

  it('fetches it anew if its own collector has taken it meanwhile', async () => {
    const { home, away, follower, digest } = await deleted(world);
    away.clock.advance(2 * day);
    const deps = { ...away, graceMs: day };
    for (let n = 1; n > 0; ) {
      const { manifests, condemned, collected } = await collect(deps);
      n = manifests + condemned + collected;
    }
    const bare = { repository: 'acme/shop', reference: { digest } };
    expect(await manifestInRepository(away.database.read, bare)).toBeUndefined();
    await trashRestore(home, { ...tagged, actor: 'jo' });
    await follower.catchUp();
    expect(await found(away)).toMatchObject({ digest, deletedAt: null, withdrawnAt: null });
    await follower.copy();
    const blobs = await away.database.read.selectFrom('blobs').select('state').execute();
    expect(blobs).toEqual([{ state: 'live' }, { state: 'live' }]);
    expect(follower.problems).toEqual([]);
  });
});

/** Pushed, followed and copied; then deleted, and that followed. */
async function deleted(world: EngineWorld) {
  const home = await openRegion(world, { name: 'home', peers: ['away'] });
  const away = await openRegion(world, { name: 'away', peers: ['home'] });
  const follower = new TestFollower(away, home, ['acme/*']);
  const { digest } = await pushImage(home, { text: 'one' });
  await follower.catchUp();
  await follower.copy();
  const repository = parseRepositoryName('acme/shop');
  await manifestDelete(home, { repository, digest, principal: 'jo' });
  await follower.catchUp();
  expect(await found(away)).toBeUndefined();
  return { home, away, follower, digest };
}

function found({ database }: TestRegion) {
  return manifestInRepository(database.read, tagged);
}
