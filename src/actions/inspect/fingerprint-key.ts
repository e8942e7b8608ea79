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
  const key = await fingerprintKeyEnsure(database);
  if (key) return key;
  throw new LazaretError('unavailable', 'the primary region has not sent the key of fingerprints yet');
}

/** The newest; made now where there is none, but in the primary region only. */
export async function fingerprintKeyEnsure(database: Database): Promise<FingerprintKey | undefined> {
  const newest = await fingerprintKeyNewest(database.read);
  if (newest) return newest;
  const primary = (await regionList(database.read)).find((region) => region.is_primary === 1);
  if (primary && primary.is_self !== 1) return undefined;
  return database.transact((tx) => fingerprintKeyAdd(tx, { version: 1, key: randomHmacKey() }));
}
