import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { except } from '../../../test/support/excepting.ts';
import { openHouse } from '../../../test/support/house.ts';
import { exceptionList } from './lists.ts';

describeEngines('the list of exceptions', (world) => {
  it('comes in pages, of what the accounts see, by any name of the advisory', async () => {
    const house = await openHouse(world);
    await except(house, 'CVE-1', { aliases: ['GHSA-1', 'A_1'] });
    await except(house, 'CVE-2', { account: 'acme' });
    await except(house, 'CVE-3', { account: 'globex' });
    const list = async (filter: Partial<Parameters<typeof exceptionList>[1]>) => {
      const found = await exceptionList(house.database.read, { states: ['accepted'], limit: 10, ...filter });
      return found.map(({ name }) => name);
    };
    expect(await list({})).toEqual(['E-3', 'E-2', 'E-1']);
    expect(await list({ limit: 2 })).toEqual(['E-3', 'E-2']);
    expect(await list({ before: 'E-2' })).toEqual(['E-1']);
    expect(await list({ accounts: ['acme'] })).toEqual(['E-2', 'E-1']);
    expect(await list({ accounts: [] })).toEqual(['E-1']);
    expect(await list({ advisory: 'GHSA-1' })).toEqual(['E-1']);
    expect(await list({ advisory: 'A_1' })).toEqual(['E-1']);
    expect(await list({ advisory: 'A-1' })).toEqual([]);
    expect(await list({ advisory: 'GHSA' })).toEqual([]);
    expect(await list({ states: ['proposed'] })).toEqual([]);
  });
});
