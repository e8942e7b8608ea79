import type { Kysely } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { randomKey } from '../../lib/random.ts';
import type { Tables } from './tables.ts';

/** The log's epoch: a new one when the database is new; a restore will renew it. */
export async function openEpoch(db: Kysely<Tables>, region: string): Promise<string> {
  const fresh = [
    { key: 'epoch', value: randomKey().slice(0, 8) },
    { key: 'region', value: region },
  ];
  await db
    .insertInto('settings')
    .values(fresh)
    .onConflict((c) => c.column('key').doNothing())
    .execute();
  const rows = await db
    .selectFrom('settings')
    .select(['key', 'value'])
    .where('key', 'in', ['epoch', 'region'])
    .execute();
  const settings = new Map(rows.map((row) => [row.key, row.value]));
  const owner = settings.get('region');
  if (owner !== region)
    throw new LazaretError('conflict', `this database belongs to region '${owner}', not '${region}'`);
  return settings.get('epoch') ?? '';
}
