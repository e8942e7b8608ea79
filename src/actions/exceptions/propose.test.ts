import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import {
  attachVex,
  importAdvisories,
  notAffected,
  npmAdvisory,
  proposeExceptions,
  vexDocument,
} from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import {
  buildImage,
  buildLayer,
  descriptor,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import { parseDigest } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { exceptionList } from '../../records/exceptions/lists.ts';
import { logRead } from '../../records/log/log.ts';
import { manifestDelete } from '../push/delete.ts';
import { trashRestore } from '../retain/restore.ts';
import { scan } from '../scan/scan.ts';
import { exceptionAccept, exceptionWithdraw } from './decide.ts';

const lodash = notAffected('CVE-2026-1', 'pkg:npm/lodash');
const document = vexDocument({ statements: [lodash] });

async function pushedImage(house: House) {
  const image = buildImage({ layers: [await buildLayer([{ path: 'is', content: 'a shop' }])] });
  await house.push('acme/shop:1', image);
  await house.inspected(image, [{ packages: [{ name: 'lodash', version: '4.17.20' }] }]);
  return image.manifest;
}

const all = async ({ database }: House) =>
  (
    await exceptionList(database.read, {
      ...{ states: ['proposed', 'accepted', 'withdrawn', 'expired'], limit: 100 },
    })
  ).toReversed();

const states = async (house: House) => (await all(house)).map(({ name, state }) => `${name} ${state}`);

const told = async ({ database }: House, type: string) =>
  (await logRead(database.read, { after: 0, limit: 1_000 }))
    .filter((event) => event.type === type)
    .map(({ data }) => data);

const taken = ({ deps }: House, digest: string) =>
  manifestDelete(deps, {
    ...{ repository: parseRepositoryName('acme/shop'), digest: parseDigest(digest), principal: 'jo' },
  });

describeEngines('an OpenVEX document that is attached to an image', (world) => {
  it('proposes exceptions for that image in its repository, which count only once accepted', async () => {
    const house = await openHouse(world);
    const subject = await pushedImage(house);
    await importAdvisories(house, npmAdvisory('CVE-2026-1', 'lodash'));
    const digest = await attachVex(house, 'acme/shop', subject, document);
    expect(await all(house)).toEqual([]);
    await proposeExceptions(house);
    expect(await all(house)).toMatchObject([
      {
        ...{ name: 'E-1', state: 'proposed', account: 'acme', repositoryGlob: 'acme/shop' },
        ...{ imageDigest: subject.digest, purl: 'pkg:npm/lodash', author: 'Acme Security', decidedBy: null },
        source: { manifest: digest, path: 'vex.statements[0].products[0]' },
      },
    ]);
    const matches = async () => {
      const criteria = { advisory: { id: 'CVE-2026-1' } };
      return (await scan(house.deps, { criteria, scope: {}, requestedBy: 'jo' })).counts.match;
    };
    expect(await matches()).toBe(1);
    await exceptionAccept(house.database, { name: 'E-1', actor: 'sec', because: null, expiresAt: null });
    expect(await matches()).toBe(0);
    await expect(
      exceptionAccept(house.database, { name: 'E-1', actor: 'sec', because: null }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is told by the type of its layer, too; anything else that is attached proposes nothing', async () => {
    const house = await openHouse(world);
    const subject = await pushedImage(house);
    await attachVex(house, 'acme/shop', subject, document, { artifactType: 'application/vnd.example' });
    await proposeExceptions(house);
    expect(await states(house)).toEqual(['E-1 proposed']);
  });

  it('speaks of its subject only: of an index also of the images in it, of no other image', async () => {
    const house = await openHouse(world);
    const image = await pushedImage(house);
    const type = mediaTypes.index;
    const index = jsonContent(type, { schemaVersion: 2, mediaType: type, manifests: [descriptor(image)] });
    await house.putManifest('acme/shop:all', index);
    const other = `sha256:${'e'.repeat(64)}`;
    const named = (digest: string) => notAffected('CVE-2026-1', `pkg:oci/shop@${encodeURIComponent(digest)}`);
    const nothing = { ...lodash, products: [] };
    const statements = [named(image.digest), named(other), nothing];
    await attachVex(house, 'acme/shop', index, vexDocument({ statements }));
    await proposeExceptions(house);
    expect((await all(house)).map(({ imageDigest }) => imageDigest)).toEqual([image.digest, index.digest]);
    expect(await told(house, 'vex.read')).toMatchObject([
      { proposed: 2, unaddressed: [{ path: 'vex.statements[1].products[0]' }] },
    ]);
  });

  it('takes along what nobody has accepted when it is deleted, and proposes it again when it comes back', async () => {
    const house = await openHouse(world);
    const subject = await pushedImage(house);
    const express = notAffected('CVE-2026-2', 'pkg:npm/express');
    const refused = notAffected('CVE-2026-3', 'pkg:npm/left-pad');
    const digest = await attachVex(
      house,
      'acme/shop',
      subject,
      vexDocument({ statements: [lodash, express, refused] }),
    );
    await proposeExceptions(house);
    await exceptionAccept(house.database, { name: 'E-1', actor: 'sec', because: null });
    await exceptionWithdraw(house.database, { name: 'E-3', actor: 'sec', because: 'it is used' });
    await taken(house, digest);
    await proposeExceptions(house);
    expect(await states(house)).toEqual(['E-1 accepted', 'E-2 withdrawn', 'E-3 withdrawn']);
    await trashRestore(house.deps, {
      ...{ repository: 'acme/shop', reference: { digest: parseDigest(digest) }, actor: 'jo' },
    });
    await proposeExceptions(house);
    expect(await states(house)).toEqual(['E-1 accepted', 'E-2 withdrawn', 'E-3 withdrawn', 'E-4 proposed']);
    expect((await all(house)).at(-1)).toMatchObject({ advisory: 'CVE-2026-2' });
    // With its image, and pushed again.
    await taken(house, subject.digest);
    await proposeExceptions(house);
    expect((await states(house)).at(-1)).toBe('E-4 withdrawn');
  });

  it('that can not be read is told in the log, proposes nothing, and is not tried again', async () => {
    const house = await openHouse(world);
    const subject = await pushedImage(house);
    const digest = await attachVex(house, 'acme/shop', subject, '{"author":');
    const unread = await attachVex(house, 'acme/shop', subject, { ...document, version: 'one' });
    await proposeExceptions(house);
    expect(await all(house)).toEqual([]);
    const failed = await told(house, 'vex.unreadable');
    expect(failed.map((data) => data.digest).toSorted()).toEqual([digest, unread].toSorted());
    expect(failed.map(({ reason }) => String(reason)).toSorted()).toEqual([
      expect.stringContaining('vex.version: must be an integer'),
      expect.stringContaining('vex: is not valid JSON'),
    ]);
    const kept = await house.database.read
      .selectFrom('jobs')
      .select('key')
      .where('kind', '=', 'vex')
      .execute();
    expect(kept).toEqual([]);
  });
});
