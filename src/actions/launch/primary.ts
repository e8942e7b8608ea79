import { LazaretError } from '../../lib/errors.ts';
import type { Reader } from '../../records/db/engine.ts';
import { regionGet, regionPrimary } from '../../records/regions/regions.ts';

/** Deployments are decided in the primary region only. @throws readOnlyReplica, with its address */
export async function assertPrimary(db: Reader, region: string): Promise<void> {
  const primary = (await regionPrimary(db)) ?? region;
  if (primary === region) return;
  const url = (await regionGet(db, primary))?.url;
  throw new LazaretError(
    'readOnlyReplica',
    `deployments are decided in region ${primary}${url ? `: ${url}` : ''}`,
    { detail: { region: primary, ...(url ? { url } : {}) } },
  );
}
