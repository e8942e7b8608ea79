/**
 * The key that secrets are fingerprinted with. Each installation has its own, so that nobody else can tell from a
 * fingerprint what it is of; its regions share it, so that a secret has one fingerprint in all of them. The primary
 * region makes it when it is first needed; the others are given it together with the accounts.
 */
import { LazaretError } from '../../lib/errors.ts';
import { randomHmacKey } from '../../lib/random.ts';
import type { Database } from '../../records/db/database.ts';
import { fingerprintKeyAdd, fingerprintKeyNewest } from '../../records/inventory/fingerprint-keys.ts';
import { regionList } from '../../records/regions/regions.ts';
import type { FingerprintKey } from '../../secrets/fingerprint.ts';

/** @throws unavailable in a region that its primary has not given the key yet */
export async function currentFingerprintKey(database: Database): Promise<FingerprintKey> {
  const newest = await fingerprintKeyNewest(database.read);
  if (newest) return newest;
  const regions = await regionList(database.read);
  const primary = regions.find((region) => region.is_primary === 1);
  if (primary && primary.is_self !== 1)
    throw new LazaretError('unavailable', `region ${primary.name} has not sent the key of fingerprints yet`);
  return database.transact((tx) => fingerprintKeyAdd(tx, { version: 1, key: randomHmacKey() }));
}
