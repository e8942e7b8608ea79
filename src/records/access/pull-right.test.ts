import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { parseDigest } from '../../oci/digest.ts';
import type { Database } from '../db/database.ts';
import type { Caller } from './caller.ts';
import { grantApply, grantRevoke, grantSet } from './grants.ts';
import { grantedBlob, grantedManifestRefusal, pullRight } from './pull-right.ts';

const globex: Caller = { principal: 'g', kind: 'instance', account: 'globex', bindings: [] };
const shop = { repository: 'acme/shop', owner: 'acme' };
const terms = { owner: 'acme', grantee: 'globex', repositoryGlob: 'acme/sh*' };
const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);

describeEngines('the right to pull', (world) => {
  it('comes with a grant and goes with its end', async () => {
    const database = await world.open();
    expect(await pullRight(database.read, globex, shop)).toEqual({ kind: 'none' });
    await database.transact((tx) => grantSet(tx, terms, 'jo'));
    expect(await pullRight(database.read, globex, shop)).toEqual({ kind: 'granted' });
    const pay = { repository: 'acme/pay', owner: 'acme' };
    expect(await pullRight(database.read, globex, pay)).toEqual({ kind: 'none' });
    await database.transact((tx) => grantRevoke(tx, terms, 'jo'));
    expect(await pullRight(database.read, globex, shop)).toEqual({ kind: 'none' });
  });

  it('is the owner’s by role', async () => {
    const database = await world.open();
    const jo: Caller = {
      principal: 'jo',
      kind: 'user',
      account: 'acme',
      bindings: [{ role: 'reader', account: 'acme', repositoryGlob: null }],
    };
    expect(await pullRight(database.read, jo, shop)).toEqual({ kind: 'owner' });
  });

  it('keeps the newer of two versions of a grant, whichever comes first', async () => {
    const database = await world.open();
    const granted = await database.transact((tx) => grantSet(tx, terms, 'jo'));
    const revoked = { ...granted, revokedAt: 5, version: granted.version + 1 };
    expect(await database.transact((tx) => grantApply(tx, revoked))).toBe(true);
    expect(await database.transact((tx) => grantApply(tx, granted))).toBe(false);
    expect(await pullRight(database.read, globex, shop)).toEqual({ kind: 'none' });
  });
});

describeEngines('a revocation', (world) => {
  it('takes the manifest, its parent’s other children and the blobs that only they need', async () => {
    const database = await world.open();
    await seed(database);
    const { read } = database;
    const asks = (letter: string) =>
      grantedManifestRefusal(read, { account: 'globex', manifestDigest: digest(letter) });
    const blob = (letter: string) =>
      grantedBlob(read, { account: 'globex', repository: 'acme/shop', blobDigest: digest(letter) });
    expect(await asks('1')).toBeUndefined();
    expect(await blob('a')).toEqual({ kind: 'allowed' });
    await revoke(database, '1');
    expect(await asks('1')).toMatchObject({ name: 'R-1' });
    expect(await asks('2')).toBeUndefined();
    expect(await blob('a')).toMatchObject({ kind: 'refused', revocation: { name: 'R-1' } });
    expect(await blob('b')).toEqual({ kind: 'allowed' });
    expect(await blob('f')).toEqual({ kind: 'unneeded' });
    const other = { account: 'initech', manifestDigest: digest('1') };
    expect(await grantedManifestRefusal(read, other)).toBeUndefined();
  });

  it('of an index takes its children too', async () => {
    const database = await world.open();
    await seed(database);
    await revoke(database, '3');
    const child = { account: 'globex', manifestDigest: digest('2') };
    expect(await grantedManifestRefusal(database.read, child)).toMatchObject({ name: 'R-3' });
  });
});

/** Image 1 has layers a and b, image 2 has layer b, index 3 has child 2; all in acme/shop. */
async function seed(database: Database): Promise<void> {
  await database.transact(async ({ db, nowMs }) => {
    const account = await db
      .insertInto('accounts')
      .values({ name: 'acme', created_at: nowMs })
      .returning('id')
      .executeTakeFirstOrThrow();
    const repository = await db
      .insertInto('repositories')
      .values({ name: 'acme/shop', account_id: account.id, home_region: 'home', created_at: nowMs })
      .returning('id')
      .executeTakeFirstOrThrow();
    for (const [letter, kind, needs] of [
      ['1', 'layer', ['a', 'b']],
      ['2', 'layer', ['b']],
      ['3', 'child', ['2']],
    ] as const) {
      const manifest = await db
        .insertInto('manifests')
        .values({
          digest: digest(letter),
          digest_sha512: null,
          kind: kind === 'child' ? 'index' : 'image',
          media_type: 'm',
          artifact_type: null,
          platform: null,
          size_bytes: 1,
          body: new Uint8Array([1]),
          annotations: null,
          created_at: nowMs,
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      const edges = needs.map((need, position) => ({
        manifest_id: manifest.id,
        kind,
        position,
        digest: digest(need),
        media_type: 'm',
        size_bytes: 1,
        diff_id: null,
      }));
      await db.insertInto('edges').values(edges).execute();
      await db
        .insertInto('repository_manifests')
        .values({
          repository_id: repository.id,
          manifest_id: manifest.id,
          pushed_at: nowMs,
          pushed_by: 'jo',
          last_pulled_at: null,
          deleted_at: null,
          withdrawn_at: null,
        })
        .execute();
    }
  });
}

async function revoke(database: Database, letter: string): Promise<void> {
  await database.transact(async ({ db, nowMs }) => {
    await db
      .insertInto('revocations')
      .values({
        uid: `u${letter}`,
        name: `R-${letter}`,
        deployment_uid: 'd',
        account: 'globex',
        repository: 'acme/shop',
        manifest_digest: digest(letter),
        trigger: 'criteria',
        evidence: '{}',
        evidence_key: letter,
        cause: null,
        occurred_at: nowMs,
        lifted_at: null,
        lifted_by: null,
        lift_reason: null,
        version: 1,
      })
      .execute();
  });
}
