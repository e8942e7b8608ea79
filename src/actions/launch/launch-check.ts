import { LazaretError } from '../../lib/errors.ts';
import { grantAllows } from '../../records/access/grants.ts';
import { manifestIdOf } from '../../records/catalog/images.ts';
import type { Reader } from '../../records/db/engine.ts';
import { assertOpen, refusalOfManifest } from '../../records/marks/door.ts';

/** Which image for whom. */
export interface Launch {
  readonly manifestDigest: string;
  readonly repository: string;
  readonly owner: string;
  /** The entity. */
  readonly account: string;
}

/** @throws grantMissing unless the entity owns the image or was granted it */
export async function assertGranted(db: Reader, launch: Launch): Promise<void> {
  if (await isGranted(db, launch)) return;
  throw new LazaretError(
    'grantMissing',
    `${launch.owner} has not granted ${launch.repository} to ${launch.account}`,
    { detail: { owner: launch.owner, grantee: launch.account, repository: launch.repository } },
  );
}

export async function isGranted(db: Reader, launch: Launch): Promise<boolean> {
  if (launch.account === launch.owner) return true;
  return grantAllows(db, { owner: launch.owner, grantee: launch.account, repository: launch.repository });
}

/** @throws quarantined when a mark reaches the image; manifestUnknown when it has gone */
export async function assertImageOpen(db: Reader, launch: Launch): Promise<void> {
  const manifestId = await manifestIdOf(db, launch.manifestDigest);
  if (manifestId === undefined)
    throw new LazaretError('manifestUnknown', `the image ${launch.manifestDigest} has gone`);
  const scope = { repository: launch.repository, account: launch.owner };
  assertOpen(await refusalOfManifest(db, scope, manifestId));
}
