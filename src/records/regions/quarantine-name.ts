import type { Tx } from '../db/database.ts';
import type { Quarantine } from '../marks/quarantines.ts';

/** Regions number their quarantines on their own: a second `Q-1` is called after its region here. */
export async function quarantineRenamed(tx: Tx, quarantine: Quarantine): Promise<Quarantine> {
  const namesake = await tx.db
    .selectFrom('quarantines')
    .select('uid')
    .where('name', '=', quarantine.name)
    .where('uid', '!=', quarantine.uid)
    .executeTakeFirst();
  return namesake ? { ...quarantine, name: `${quarantine.name}@${quarantine.origin}` } : quarantine;
}
