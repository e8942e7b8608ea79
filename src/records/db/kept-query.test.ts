import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { keptQuery } from './kept-query.ts';

interface Asked {
  readonly names: readonly string[];
  readonly from: number;
}

describeEngines('a query that is kept', (world) => {
  const names = ['acme', 'globex', 'initech', 'umbrella'];

  async function openAccounts() {
    const database = await world.open();
    await database.transact(async (tx) => {
      for (const [at, name] of names.entries())
        await tx.db.insertInto('accounts').values({ name, created_at: at }).execute();
    });
    let built = 0;
    const found = keptQuery((db, asked: Asked) => {
      built += 1;
      return db
        .selectFrom('accounts')
        .select('name')
        .where('created_at', '>=', asked.from)
        .where('name', 'in', asked.names)
        .where('created_at', '<', 3)
        .orderBy('name');
    });
    const namesOf = async (asked: Asked) => (await found(database.read, asked)).map(({ name }) => name);
    return { database, found, namesOf, built: () => built };
  }

  it('takes the values of each call, whatever else comes with them and in whatever order', async () => {
    const { namesOf, built } = await openAccounts();
    expect(await namesOf({ names: ['acme', 'globex'], from: 0 })).toEqual(['acme', 'globex']);
    const more = { from: 1, other: 'acme', names: ['acme', 'initech'] };
    expect(await namesOf(more)).toEqual(['initech']);
    expect(await namesOf({ names: ['globex', 'umbrella'], from: 1 })).toEqual(['globex']);
    expect(built()).toBeLessThanOrEqual(2);
  });

  it('is built once for each length of its lists, and anew where there are too many lengths', async () => {
    const { namesOf, built } = await openAccounts();
    for (let round = 0; round < 3; round++)
      for (let length = 1; length <= 4; length++)
        expect(await namesOf({ names: names.slice(0, length), from: 0 })).toHaveLength(Math.min(3, length));
    expect(built()).toBe(4);
    for (let length = 1; length <= 100; length++)
      expect(await namesOf({ names: Array(length).fill('initech'), from: 0 })).toEqual(['initech']);
  });

  it('sees what its own transaction has written', async () => {
    const { database, found } = await openAccounts();
    const seen = await database.transact(async (tx) => {
      await tx.db.insertInto('accounts').values({ name: 'hooli', created_at: 2 }).execute();
      return found(tx.db, { names: ['hooli'], from: 0 });
    });
    expect(seen).toEqual([{ name: 'hooli' }]);
  });

  it('fails where its values are looked at while it is built', async () => {
    const { database } = await openAccounts();
    const looking = keptQuery((db, { name }: { name: string }) =>
      db.selectFrom('accounts').select('name').where('name', '=', name.toLowerCase()),
    );
    await expect(looking(database.read, { name: 'ACME' })).rejects.toThrow(TypeError);
  });
});
