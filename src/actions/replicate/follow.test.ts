import { expect, it } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { openRegion, pushImage, TestFollower, type TestRegion } from '../../../test/support/regions.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { accountOpenSet, accountsOpen } from '../../records/access/accounts.ts';
import {
  principalAdd,
  principalByName,
  principalDisableByName,
  principalExpirySet,
} from '../../records/access/principals.ts';
import { blobInRepository } from '../../records/catalog/blobs.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import { repositoryEnsure } from '../../records/catalog/repositories.ts';
import { logRead } from '../../records/log/log.ts';
import { regionGet } from '../../records/regions/regions.ts';
import { manifestDelete } from '../push/delete.ts';

async function pair(world: EngineWorld, repositories: readonly string[] = []) {
  const home = await openRegion(world, { name: 'home', peers: ['away'] });
  const away = await openRegion(world, { name: 'away', peers: ['home'] });
  return { home, away, follower: new TestFollower(away, home, repositories) };
}

describeEngines('a follower', (world) => {
  it('has the rows of a pushed image before any of its bytes', async () => {
    const { home, away, follower } = await pair(world);
    const image = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    const { read } = away.database;
    const found = await manifestInRepository(read, { repository: 'acme/shop', reference: { tag: '1' } });
    expect(found).toMatchObject({ digest: image.digest, kind: 'image' });
    const blob = await blobInRepository(read, { repository: 'acme/shop', digest: image.layer });
    expect(blob).toMatchObject({ state: 'remote', storage_key: null, size_bytes: 3 });
    const edges = await read.selectFrom('edges').selectAll().orderBy('kind').execute();
    expect(edges.map((edge) => [edge.kind, edge.digest, edge.diff_id])).toEqual([
      ['config', image.config, null],
      ['layer', image.layer, image.layer],
    ]);
    expect(await read.selectFrom('images').select(['state', 'reason']).execute()).toEqual([
      { state: 'unknown', reason: 'its inventory is kept in region home' },
    ]);
    expect(follower.problems).toEqual([]);
  });

  it('goes on at its cursors when it comes again, and applies nothing twice', async () => {
    const { home, away, follower } = await pair(world);
    await pushImage(home, { text: 'one' });
    await follower.catchUp();
    await pushImage(home, { text: 'two', tag: '2' });
    await follower.catchUp();
    const ids = (region: TestRegion) =>
      logRead(region.database.read, { after: 0, limit: 100, lane: 'content', origin: 'home' });
    expect((await ids(away)).map((event) => event.id)).toEqual((await ids(home)).map((event) => event.id));
    const row = await regionGet(away.database.read, 'home');
    expect(row?.content_cursor).toBe(row?.content_head);
  });

  it('takes a manifest out and asks for its review when home has deleted it', async () => {
    const { home, away, follower } = await pair(world);
    const { digest } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    await manifestDelete(home, { repository: parseRepositoryName('acme/shop'), digest, principal: 'jo' });
    await follower.catchUp();
    const gone = await manifestInRepository(away.database.read, {
      repository: 'acme/shop',
      reference: { digest },
    });
    expect(gone?.deletedAt).toBe(home.clock.wallMs());
    expect(await away.database.read.selectFrom('tags').selectAll().execute()).toEqual([]);
    const reviews = await away.database.read.selectFrom('review_queue').select(['kind', 'digest']).execute();
    expect(reviews).toContainEqual({ kind: 'manifest', digest });
  });

  it('refuses a push to a replica, and to a new repository, with the address of home', async () => {
    const { home, away, follower } = await pair(world);
    await pushImage(home, { text: 'one' });
    await follower.catchUp();
    for (const name of ['acme/shop', 'acme/new']) {
      const push = away.database.transact((tx) => repositoryEnsure(tx, parseRepositoryName(name)));
      await expect(push).rejects.toMatchObject({
        code: 'readOnlyReplica',
        message: expect.stringContaining('http://home.example'),
        detail: { repository: name, region: 'home', url: 'http://home.example' },
      });
    }
  });

  it('changes nothing of a repository on the word of a region that is not its home', async () => {
    const { home, away, follower } = await pair(world);
    const { digest } = await pushImage(home, { text: 'one' });
    await follower.catchUp();
    await away.database.transact(async (tx) =>
      tx.emit({
        type: 'manifest.deleted',
        lane: 'content',
        subject: digest,
        actor: 'x',
        data: { repository: 'acme/shop', digest },
      }),
    );
    await new TestFollower(home, away).catchUp();
    const still = await manifestInRepository(home.database.read, {
      repository: 'acme/shop',
      reference: { tag: '1' },
    });
    expect(still?.deletedAt).toBeNull();
  });

  it('knows who may do what as the primary region says', async () => {
    const { home, away, follower } = await pair(world);
    const user = (name: string, secretHash: string) => ({
      name,
      kind: 'user' as const,
      account: 'acme',
      secretHash,
      bindings: [{ role: 'writer' as const, account: 'acme', repositoryGlob: null }],
    });
    await away.database.transact((tx) => principalAdd(tx, user('stray', 'h0'), 'test'));
    await home.database.transact((tx) => principalAdd(tx, user('jo', 'h1'), 'test'));
    await follower.catchUp();
    const { read } = away.database;
    expect(await principalByName(read, 'jo')).toMatchObject({
      account: 'acme',
      secretHash: 'h1',
      disabled: false,
    });
    expect(await principalByName(read, 'stray')).toMatchObject({ disabled: true });
    await home.database.transact((tx) => principalExpirySet(tx, 'jo', 5, 'test'));
    await home.database.transact((tx) => accountOpenSet(tx, 'acme', true, 'test'));
    await follower.catchUp();
    expect(await principalByName(read, 'jo')).toMatchObject({ expiresAt: 5, securityVersion: 2 });
    expect(await accountsOpen(read)).toEqual(['acme']);
    await home.database.transact((tx) => principalDisableByName(tx, 'jo', 'test'));
    await follower.catchUp();
    expect(await principalByName(read, 'jo')).toMatchObject({ disabled: true });
    expect(await read.selectFrom('role_bindings').selectAll().execute()).toHaveLength(2);
  });
});
