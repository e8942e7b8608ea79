import { checked } from '../../contract/check.ts';
import { quarantineSchema } from '../../contract/quarantines.ts';
import { limits } from '../../lib/limits.ts';
import { type Exemption, exemptionsKeep } from '../../records/marks/exemptions.ts';
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

/** What the home of their repositories has decided of images under reach `image`; their blobs may come now. */
export async function applyExemptions({ tx, data, policy }: Applying): Promise<void> {
  const quarantineUid = data.member('quarantine').string();
  const version = data.member('version').count();
  const exemptions = data
    .member('manifests')
    .items(limits.exemptionsAtOnce)
    .map((item): Exemption => {
      const exempt = item.member('exempt').boolean();
      return { quarantineUid, manifestDigest: item.member('digest').string(), exempt };
    });
  await exemptionsKeep(tx, exemptions, version);
  const spared = exemptions.filter((one) => one.exempt).map((one) => one.manifestDigest);
  tx.wake();
  if (spared.length === 0) return;
  const reopened = spared.map((digest) => ({ digest, diffId: null, repositoryGlob: null }));
  await copyReopened(tx, reopened, policy);
}
