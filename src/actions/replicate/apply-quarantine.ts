import { checked } from '../../contract/check.ts';
import { quarantineSchema } from '../../contract/quarantines.ts';
import { quarantineApply } from '../../records/marks/quarantines.ts';
import { copyReopened } from '../../records/regions/copies.ts';
import { quarantineRenamed } from '../../records/regions/quarantine-name.ts';
import type { Applying } from './applying.ts';

/**
 * A quarantine of another region, in whatever state it is there, if it is newer: from the commit on every door here
 * decides by it. Released, it lets the blobs that it kept from being copied come.
 */
export async function applyQuarantine({ tx, event, policy }: Applying): Promise<void> {
  const received = await checked(quarantineSchema, event.data, { where: 'quarantine' });
  if (!(await quarantineApply(tx, await quarantineRenamed(tx, received)))) return;
  // The collector and the acknowledgement have work now.
  tx.wake();
  if (received.releasedAt !== null) await copyReopened(tx, received.marks, policy);
}
