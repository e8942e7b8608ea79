import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { layerInventory } from '../../../test/support/layer-inventory.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import {
  berkeleyDatabase,
  ndbDatabase,
  rpmHeader,
  sqliteDatabase,
} from '../../../test/support/rpm-databases.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { limits } from '../../lib/limits.ts';
import { fileList } from '../../records/inventory/file-list.ts';
import { imageInventory } from '../../records/inventory/image-read.ts';
import { packageList } from '../../records/inventory/package-list.ts';

const dpkgStatus = (...packages: readonly string[]) =>
  packages
    .map((text) => text.split(' '))
    .map(
      ([name, version, source = '']) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${source && `Source: ${source}\n`}`,
    )
    .join('\n');
const debian12 = { path: 'usr/lib/os-release', content: 'ID=debian\nVERSION_ID="12"\n' };
const lodash = {
  path: 'app/node_modules/lodash/package.json',
  content: '{"name":"lodash","version":"4.17.20"}',
};

describeEngines('inspection', (engines) => {
  const page = { limit: 100 };

  test('a layer is read once, its image completed, and both told', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([
      { path: 'app', folder: true },
      lodash,
      { path: 'app/.wh.old', content: '' },
    ]);
    const id = await world.push({
      layers: [layer],
      config: { User: 'web', Env: ['TOKEN=secret', 'PATH=/bin'] },
    });
    await world.drain();

    const { database } = world;
    expect(await layerInventory(database.read, layer.digest)).toMatchObject({
      state: 'done',
      diffId: layer.diffId,
      files: 3,
      packages: 1,
      extractions: [...extractors.map(({ name }) => ({ extractor: name })), { extractor: 'secrets' }],
    });
    const { items: files } = await fileList(database, { manifestId: id, place: 'layer', ...page });
    expect(files.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'app directory',
      'app/node_modules/lodash/package.json file',
      'app/old whiteout',
    ]);
    const image = await imageInventory(database.read, id);
    expect(image).toMatchObject({ state: 'done', reason: null, os: null, packages: { npm: 1 } });
    expect(image?.config).toMatchObject({ user: 'web', env: ['TOKEN', 'PATH'] });
    expect(JSON.stringify(image?.config)).not.toContain('secret');
    expect(await world.events('layer.inspected')).toMatchObject([
      { digest: layer.digest, state: 'done', diffId: layer.diffId, files: 3, packages: 1 },
    ]);
    expect(await world.events('image.inspected')).toMatchObject([{ state: 'done', packages: 1 }]);
    expect(await world.jobs()).toEqual([]);
  });

  test('an image of layers that were all read before is completed without a further read', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    await world.push({ layers: [layer] });
    await world.drain();
    const second = await world.push({ layers: [layer], config: { User: 'other' } });
    await world.drain();
    expect(await imageInventory(world.database.read, second)).toMatchObject({
      state: 'done',
      packages: { npm: 1 },
    });
    expect(await world.events('layer.inspected')).toHaveLength(1);
  });

  test('the packages of an upper layer learn their release from the image', async () => {
    await using world = await inventoryWorld(engines);
    const base = await buildLayer([
      debian12,
      { path: 'var/lib/dpkg/status', content: dpkgStatus('libc6 2.36-9 glibc') },
    ]);
    const upper = await buildLayer([
      { path: 'var/lib/dpkg/status', content: dpkgStatus('libc6 2.36-9 glibc', 'curl 7.88.1-10') },
    ]);
    const id = await world.push({ layers: [base, upper] });
    await world.drain();
    const { items: packages } = await packageList(world.database, {
      manifestId: id,
      place: 'image',
      ...page,
    });
    expect(packages.map(({ purl, ecosystem, layer }) => ({ purl, ecosystem, layer }))).toEqual([
      {
        purl: 'pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12',
        ecosystem: 'Debian:12',
        layer: upper.digest,
      },
      {
        purl: 'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
        ecosystem: 'Debian:12',
        layer: upper.digest,
      },
    ]);
    expect(await imageInventory(world.database.read, id)).toMatchObject({ state: 'done', os: 'Debian 12' });
    const held = await world.database.read
      .selectFrom('layer_packages')
      .innerJoin('packages', 'packages.id', 'layer_packages.package_id')
      .select('packages.ecosystem')
      .distinct()
      .execute();
    expect(held).toEqual([{ ecosystem: 'Debian:12' }]);
  });

  test('only the topmost database of rpm counts, of whatever format, in the release of a layer below', async () => {
    await using world = await inventoryWorld(engines);
    const base = await buildLayer([
      { path: 'etc/os-release', content: 'ID="rocky"\nVERSION_ID="9.3"\n' },
      { path: 'var/lib/rpm/Packages', content: berkeleyDatabase([rpmHeader({ name: 'old' })]) },
      { path: 'var/lib/rpm/rpmdb.sqlite', content: sqliteDatabase([rpmHeader({ name: 'bash' })]) },
    ]);
    const upper = await buildLayer([
      { path: 'var/lib/rpm/.wh.Packages', content: '' },
      {
        path: 'var/lib/rpm/rpmdb.sqlite',
        content: sqliteDatabase([rpmHeader({ name: 'bash', version: '2.0', epoch: 1 })]),
      },
    ]);
    const id = await world.push({ layers: [base, upper] });
    await world.drain();
    const { items } = await packageList(world.database, { manifestId: id, place: 'image', ...page });
    expect(items.map(({ purl, ecosystem }) => [purl, ecosystem])).toEqual([
      ['pkg:rpm/rocky/bash@2.0-1?arch=noarch&distro=rocky-9.3&epoch=1', 'Rocky Linux:9'],
    ]);
    expect(await imageInventory(world.database.read, id)).toMatchObject({
      state: 'done',
      os: 'Rocky Linux 9.3',
    });
  });

  test('RPM packages of a distribution without advisories make the image unknown', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([
      { path: 'usr/lib/os-release', content: 'ID=fedora\nVERSION_ID=39\n' },
      { path: 'usr/lib/sysimage/rpm/Packages.db', content: ndbDatabase([rpmHeader({ name: 'bash' })]) },
    ]);
    const id = await world.push({ layers: [layer] });
    await world.drain();
    expect(await imageInventory(world.database.read, id)).toMatchObject({
      state: 'unknown',
      reason: "advisories can't be matched with its RPM packages: 'fedora' names no known release",
      packages: { rpm: 1 },
    });
  });

  test('Debian packages without a known release make the image unknown', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([{ path: 'var/lib/dpkg/status', content: dpkgStatus('curl 1') }]);
    const id = await world.push({ layers: [layer] });
    await world.drain();
    const image = await imageInventory(world.database.read, id);
    expect(image).toMatchObject({ state: 'unknown', packages: { deb: 1 } });
    expect(image?.reason).toContain('does not say its distribution');
  });

  test('a config that lies about a layer makes the image unknown', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    const other = await buildLayer([debian12]);
    const id = await world.push({ layers: [layer], claimed: [other.diffId] });
    await world.drain();
    const image = await imageInventory(world.database.read, id);
    expect(image?.state).toBe('unknown');
    expect(image?.reason).toBe(
      `the config lies about layer ${layer.digest}: it is ${layer.diffId}, not ${other.diffId}`,
    );
  });

  test.each([
    ['a layer that is no tar', { bytes: Buffer.from('no tar at all') }, /not a tar|no tar|tar/],
    ['a layer that is not distributed', { missing: true }, /is not distributed/],
  ])('%s makes the image unknown', async (_name, broken, reason) => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    const bad = await world.brokenLayer(broken);
    const id = await world.push({ layers: [layer, bad] });
    await world.drain();
    const image = await imageInventory(world.database.read, id);
    expect(image).toMatchObject({ state: 'unknown', packages: { npm: 1 } });
    expect(image?.reason).toMatch(reason);
  });

  test('what is no file system is not applicable', async () => {
    await using world = await inventoryWorld(engines);
    const chart = await world.brokenLayer({
      bytes: Buffer.from('chart'),
      mediaType: 'application/vnd.cncf.helm.chart',
    });
    const id = await world.push({ layers: [chart], configBytes: Buffer.from('not a config') });
    await world.drain();
    expect(await imageInventory(world.database.read, id)).toMatchObject({ state: 'notApplicable' });
  });

  test.each([
    ['an attestation', 'unknown', 'application/vnd.in-toto+json'],
    ['a signature', '', 'application/vnd.dev.cosign.simplesigning.v1+json'],
  ])(
    "%s is not applicable, though it has an image's config; a tar in its place is read",
    async (_what, os, mediaType) => {
      await using world = await inventoryWorld(engines);
      const configFor = (layer: { diffId: string }) =>
        Buffer.from(
          JSON.stringify({ os, architecture: os, rootfs: { type: 'layers', diff_ids: [layer.diffId] } }),
        );
      const statement = await world.brokenLayer({ bytes: Buffer.from('{"_type":"x"}'), mediaType });
      const id = await world.push({ layers: [statement], configBytes: configFor(statement) });
      const hidden = { ...(await buildLayer([lodash])), mediaType };
      const evil = await world.push({ layers: [hidden], configBytes: configFor(hidden) });
      await world.drain();
      expect(await imageInventory(world.database.read, id)).toMatchObject({
        state: 'notApplicable',
        reason: null,
      });
      expect(await imageInventory(world.database.read, evil)).toMatchObject({
        state: 'done',
        packages: { npm: 1 },
      });
    },
  );

  test('a read that was interrupted is done again and ends in the same rows', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([
      lodash,
      { path: 'app', folder: true },
      { path: 'app/.wh..wh..opq', content: '' },
    ]);
    const id = await world.push({ layers: [layer] });
    world.inspector.failAfterParts = 2;
    await world.drain();
    expect(await imageInventory(world.database.read, id)).toMatchObject({ state: 'pending' });
    world.inspector.failAfterParts = undefined;
    world.clock.advance(limits.jobLeaseMs);
    await world.drain();
    const { items: files } = await fileList(world.database, { manifestId: id, place: 'layer', ...page });
    expect(files.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'app opaque',
      'app/node_modules/lodash/package.json file',
    ]);
    expect(await imageInventory(world.database.read, id)).toMatchObject({
      state: 'done',
      packages: { npm: 1 },
    });
  });

  test('a layer that can never be read ends unknown with the reason', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    const id = await world.push({ layers: [layer] });
    world.inspector.failAfterParts = 0;
    for (let attempt = 0; attempt < limits.jobAttemptsMax; attempt++) {
      await world.drain();
      world.clock.advance(10 * 60_000);
    }
    expect(await layerInventory(world.database.read, layer.digest)).toMatchObject({
      state: 'unknown',
      reason: 'the thread ended',
    });
    expect(await imageInventory(world.database.read, id)).toMatchObject({ state: 'unknown' });
    expect(await world.jobs()).toEqual([]);
  });

  test('a blob that has gone ends its job quietly', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    await world.push({ layers: [layer] });
    await world.database.transact((tx) =>
      tx.db
        .updateTable('blobs')
        .set({ state: 'condemned', storage_key: null })
        .where('digest', '=', layer.digest)
        .execute(),
    );
    await world.drain();
    expect(await world.jobs()).toEqual([]);
    expect(await world.events('layer.inspected')).toEqual([]);
  });

  test('a layer that no job is for is given one', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([lodash]);
    const id = await world.push({ layers: [layer] });
    await world.database.transact((tx) => tx.db.deleteFrom('jobs').execute());
    await world.drain();
    expect(await imageInventory(world.database.read, id)).toMatchObject({ state: 'done' });
  });

  test('names that no index takes are left out, and the extractor says so', async () => {
    await using world = await inventoryWorld(engines);
    const name = 'x'.repeat(limits.packageNameLengthMax + 1);
    const layer = await buildLayer([
      lodash,
      { path: 'node_modules/a/package.json', content: JSON.stringify({ name, version: '1.0.0' }) },
      { path: 'node_modules/b/package.json', content: '{"name":"b\\u0000","version":"1.0.0"}' },
    ]);
    const id = await world.push({ layers: [layer] });
    await world.drain();
    expect(await imageInventory(world.database.read, id)).toMatchObject({
      state: 'unknown',
      packages: { npm: 1 },
    });
  });
});
