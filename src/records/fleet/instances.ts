import type { Selectable } from 'kysely';
import { checked } from '../../contract/check.ts';
import { type Instance, instanceSchema } from '../../contract/fleet.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { InstanceTable } from '../db/tables/fleet.ts';

/** The machines with an agent. A region owns its instances and tells the others of them; each belongs to one account. */

export async function instanceGet(db: Reader, region: string, name: string): Promise<Instance | undefined> {
  const row = await db
    .selectFrom('instances')
    .selectAll()
    .where('region', '=', region)
    .where('name', '=', name)
    .executeTakeFirst();
  return row && instanceOf(row);
}

export async function instanceByUid(db: Reader, uid: string): Promise<Instance | undefined> {
  const row = await db.selectFrom('instances').selectAll().where('uid', '=', uid).executeTakeFirst();
  return row && instanceOf(row);
}

/** @param accounts only theirs; left out: all */
export async function instanceList(db: Reader, accounts?: readonly string[]): Promise<Instance[]> {
  let query = db.selectFrom('instances').selectAll();
  if (accounts) query = query.where('account', 'in', [...accounts, '']);
  const rows = await query.orderBy('region').orderBy('name').limit(limits.apiPageMax).execute();
  return rows.map(instanceOf);
}

/** Registers an instance of this region. @throws conflict if the region has one of that name */
export async function instanceAdd(
  tx: Tx,
  instance: { name: string; account: string; uid?: string; actor: string },
): Promise<Instance> {
  if (await instanceGet(tx.db, tx.region, instance.name))
    throw new LazaretError('conflict', `region ${tx.region} has an instance '${instance.name}' already`);
  const added: Instance = {
    uid: instance.uid ?? uuidv7(tx.nowMs),
    name: instance.name,
    region: tx.region,
    account: instance.account,
    runtime: null,
    lastHeardAt: null,
    version: await tx.nextVersion(),
  };
  await instanceWrite(tx, added);
  tx.emit({
    type: 'instance.registered',
    lane: 'content',
    account: added.account,
    subject: `${added.region}/${added.name}`,
    actor: instance.actor,
    data: added,
  });
  return added;
}

/** Its agent has spoken. Of no interest to other regions, so it is no event. */
export async function instanceHeard(tx: Tx, uid: string, runtime: string): Promise<void> {
  await tx.db
    .updateTable('instances')
    .set({ last_heard_at: tx.nowMs, runtime })
    .where('uid', '=', uid)
    .execute();
}

/** What another region said of its instance. @returns whether it was newer. @throws invalid */
export async function instanceApply(tx: Tx, data: unknown): Promise<boolean> {
  const instance = await checked(instanceSchema, data, { where: 'instance' });
  const known = await instanceByUid(tx.db, instance.uid);
  if (known && known.version >= instance.version) return false;
  await instanceWrite(tx, { ...instance, lastHeardAt: known?.lastHeardAt ?? instance.lastHeardAt });
  return true;
}

async function instanceWrite(tx: Tx, instance: Instance): Promise<void> {
  const { uid, name, region, account, runtime, lastHeardAt, version } = instance;
  const row = { name, region, account, runtime, last_heard_at: lastHeardAt, version };
  await tx.db
    .insertInto('instances')
    .values({ uid, ...row })
    .onConflict((c) => c.column('uid').doUpdateSet(row))
    .execute();
}

function instanceOf(row: Selectable<InstanceTable>): Instance {
  return {
    uid: row.uid,
    name: row.name,
    region: row.region,
    account: row.account,
    runtime: row.runtime,
    lastHeardAt: row.last_heard_at,
    version: row.version,
  };
}
