import { LazaretError } from '../../lib/errors.ts';
import type { Reader } from '../../records/db/engine.ts';
import { regionGet, regionPrimary } from '../../records/regions/regions.ts';

/**
 * Deployments, grants and rules are decided in the primary region only.
 * @param what is decided there
 * @throws readOnlyReplica, with its address
 */
export async function assertPrimary(db: Reader, region: string, what = 'deployments'): Promise<void> {
  const primary = (await regionPrimary(db)) ?? region;
  if (primary === region) return;
  const url = (await regionGet(db, primary))?.url;
  throw new LazaretError(
    'readOnlyReplica',
    `${what} are decided in region ${primary}${url ? `: ${url}` : ''}`,
    { detail: { region: primary, ...(url ? { url } : {}) } },
  );
}
