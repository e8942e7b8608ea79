import { checked } from '../../contract/check.ts';
import { quarantineSchema } from '../../contract/quarantines.ts';
import type { Tx } from '../../records/db/database.ts';
import { type Quarantine, quarantineApply } from '../../records/marks/quarantines.ts';
import { copyReopened } from '../../records/regions/copies.ts';
import type { Applying } from './appliers.ts';

/**
 * A quarantine of another region, in whatever state it is there, if it is newer: from the commit on every door here
 * decides by it. Released, it lets the blobs that it kept from being copied come.
 */
export async function applyQuarantine({ tx, event, policy }: Applying): Promise<void> {
  const received = await checked(quarantineSchema, event.data, { where: 'quarantine' });
  if (!(await quarantineApply(tx, await uniquelyNamed(tx, received)))) return;
  // The collector and the acknowledgement have work now.
  tx.wake();
  if (received.releasedAt !== null) await copyReopened(tx, received.marks, policy);
}

/** Regions number their quarantines on their own: a second `Q-1` is called after its region here. */
async function uniquelyNamed(tx: Tx, quarantine: Quarantine): Promise<Quarantine> {
  const namesake = await tx.db
    .selectFrom('quarantines')
    .select('uid')
    .where('name', '=', quarantine.name)
    .where('uid', '!=', quarantine.uid)
    .executeTakeFirst();
  return namesake ? { ...quarantine, name: `${quarantine.name}@${quarantine.origin}` } : quarantine;
}
