import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { packagesEnsure } from './packages.ts';

describeEngines('packages of a distribution', (engines) => {
  test('are told apart by their source, so that nobody says of which source the packages of others are', async () => {
    const database = await engines.open();
    const openssl = {
      ...{ purl: 'pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12', ecosystem: 'Debian:12' },
      ...{ name: 'libssl3', version: '3.0.11-1', sourceVersion: '3.0.11-1' },
    };
    const ensured = (sourceName: string) =>
      database.transact(async (tx) => [...(await packagesEnsure(tx, [{ ...openssl, sourceName }])).values()]);
    const [lied] = await ensured('harmless');
    const [told] = await ensured('openssl');
    expect(told).not.toBe(lied);
    expect(await ensured('openssl')).toEqual([told]);
    const rows = await database.read
      .selectFrom('packages')
      .select(['id', 'source_name'])
      .orderBy('id')
      .execute();
    expect(rows).toEqual([
      { id: lied, source_name: 'harmless' },
      { id: told, source_name: 'openssl' },
    ]);
  });
});

describeEngines('the licence of a package version', (engines) => {
  test('is the first that was read of it, also if that was not where it was found first', async () => {
    const database = await engines.open();
    const rowAfter = async (license: string | undefined) => {
      const facts = { purl: 'pkg:deb/debian/bash@5', ecosystem: 'Debian:12', name: 'bash', version: '5' };
      await database.transact((tx) => packagesEnsure(tx, [{ ...facts, license }]));
      return database.read.selectFrom('packages').select(['license', 'spdx']).executeTakeFirstOrThrow();
    };
    expect(await rowAfter(undefined)).toEqual({ license: null, spdx: null });
    expect(await rowAfter('GPL-3+ and BSD')).toEqual({
      license: 'GPL-3+ and BSD',
      spdx: 'GPL-3.0-or-later AND LicenseRef-unknown',
    });
    expect(await rowAfter(undefined)).toMatchObject({ license: 'GPL-3+ and BSD' });
    expect(await rowAfter('MIT')).toMatchObject({ license: 'GPL-3+ and BSD' });
  });

  test('has no expression where it is not understood', async () => {
    const database = await engines.open();
    const facts = { purl: 'pkg:pypi/a@1', ecosystem: 'PyPI', name: 'a', version: '1', license: 'BSD\0' };
    await database.transact((tx) => packagesEnsure(tx, [facts]));
    const rows = await database.read.selectFrom('packages').select(['license', 'spdx']).execute();
    expect(rows).toContainEqual({ license: 'BSD\uFFFD', spdx: null });
  });
});
