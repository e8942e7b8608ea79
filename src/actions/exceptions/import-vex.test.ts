import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { notAffected, vexDocument, vexImported } from '../../../test/support/excepting.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { exceptionList } from '../../records/exceptions/lists.ts';
import { exceptionWithdraw } from './decide.ts';

const listed = async ({ database }: House) => {
  const states = ['accepted', 'withdrawn'] as const;
  const found = await exceptionList(database.read, { states, limit: 100 });
  return found.map(({ name, state, advisory, purl }) => `${name} ${state} ${advisory} ${purl}`).toReversed();
};
const lodash = notAffected('CVE-2026-1', 'pkg:npm/lodash@4.17.20');
const express = notAffected('CVE-2026-2', 'pkg:npm/express');

describeEngines('an OpenVEX document', (world) => {
  it('becomes exceptions that count, and says what of it can not become any', async () => {
    const house = await openHouse(world);
    const other = { vulnerability: { name: 'CVE-2026-3' }, status: 'under_investigation', products: [] };
    const nobody = { ...lodash, products: [{ '@id': 'https://acme.example/shop' }] };
    const nothing = { ...lodash, products: [] };
    const document = vexDocument({ statements: [lodash, express, other, nobody, nothing] });
    expect(await vexImported(house, document)).toMatchObject({
      document: 'https://acme.example/vex',
      author: 'Acme Security',
      added: ['E-1', 'E-2'],
      otherStatements: 1,
      unaddressed: [
        { path: 'vex.statements[3].products[0]' },
        { path: 'vex.statements[4]', reason: 'names no product' },
      ],
    });
    expect(await listed(house)).toEqual([
      'E-1 accepted CVE-2026-1 pkg:npm/lodash@4.17.20',
      'E-2 accepted CVE-2026-2 pkg:npm/express',
    ]);
  });

  it('is replaced by a newer version of it: what both say stays, what the older one said alone ends', async () => {
    const house = await openHouse(world);
    await vexImported(house, vexDocument({ statements: [lodash, express] }));
    const newer = vexDocument({
      version: 2,
      statements: [express, notAffected('CVE-2026-4', 'pkg:npm/left-pad')],
    });
    expect(await vexImported(house, newer)).toMatchObject({
      unchanged: false,
      added: ['E-3'],
      kept: 1,
      withdrawn: 1,
    });
    expect(await listed(house)).toEqual([
      'E-1 withdrawn CVE-2026-1 pkg:npm/lodash@4.17.20',
      'E-2 accepted CVE-2026-2 pkg:npm/express',
      'E-3 accepted CVE-2026-4 pkg:npm/left-pad',
    ]);
    expect(await vexImported(house, newer)).toMatchObject({
      ...{ unchanged: true, added: [], kept: 2, withdrawn: 0 },
    });
  });

  it('is refused when it is older than what was imported, or of its version and says otherwise', async () => {
    const house = await openHouse(world);
    await vexImported(house, vexDocument({ version: 2, statements: [lodash] }));
    for (const statements of [[lodash], [express]])
      await expect(vexImported(house, vexDocument({ version: 1, statements }))).rejects.toMatchObject({
        code: 'conflict',
      });
    await expect(
      vexImported(house, vexDocument({ version: 2, statements: [express] })),
    ).rejects.toMatchObject({ code: 'conflict' });
    const later = vexDocument({ version: 2, timestamp: '2026-01-02T00:00:00Z', statements: [express] });
    expect(await vexImported(house, later)).toMatchObject({ added: ['E-2'], withdrawn: 1 });
    // Another account's import of it is another one.
    const acme = { account: 'acme' };
    expect(await vexImported(house, vexDocument({ statements: [lodash] }), acme)).toMatchObject({
      added: ['E-3'],
    });
  });

  it('names repositories of its account only', async () => {
    const house = await openHouse(world);
    const of = (repository: string) =>
      notAffected('CVE-2026-1', `pkg:oci/shop?repository_url=registry.example/${repository}`);
    const document = vexDocument({ statements: [of('acme/shop'), of('globex/shop')] });
    expect(await vexImported(house, document, { account: 'acme' })).toMatchObject({
      added: ['E-1'],
      unaddressed: [
        { path: 'vex.statements[1].products[0]', reason: 'globex/shop is no repository of acme' },
      ],
    });
  });

  it('says again what somebody withdrew by hand, since importing it is a decision', async () => {
    const house = await openHouse(world);
    const document = vexDocument({ statements: [lodash] });
    await vexImported(house, document);
    await exceptionWithdraw(house.database, { name: 'E-1', actor: 'sec', because: 'it is not so' });
    expect(await vexImported(house, document)).toMatchObject({ added: ['E-2'] });
    await expect(
      exceptionWithdraw(house.database, { name: 'E-1', actor: 'sec', because: null }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  it('that is broken or too large changes nothing', async () => {
    const house = await openHouse(world);
    await expect(vexImported(house, { author: 'x' })).rejects.toMatchObject({
      code: 'invalid',
      detail: { path: 'vex["@context"]' },
    });
    const many = Array.from({ length: 5_001 }, () => lodash);
    await expect(vexImported(house, vexDocument({ statements: many }))).rejects.toThrow(/5001 entries/);
    expect(await listed(house)).toEqual([]);
  });
});
